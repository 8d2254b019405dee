//! Floor 10: the edge towards the browser. Parses what JavaScript gives, calls, and maps answers and errors back.
//!
//! Everything here is called by `web/src/worker.ts`, whose types say what each value looks like. Errors are thrown as
//! plain objects `{code, message, remedy}`.

mod error;
mod kernels;
mod panics;

pub use kernels::kernels;
pub use panics::report_panics;
