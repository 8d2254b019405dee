//! Floor 10: the edge towards the browser. Parses what JavaScript gives, calls, and maps answers and errors back.
//!
//! Everything here is called by `web/src/worker.ts`, whose types say what each value looks like. Errors are thrown as
//! plain objects `{code, message, remedy}`.

mod answer;
mod breath;
mod error;
mod files;
mod kernels;
mod model;
mod options;
mod pack;
mod panics;
mod request;
mod tokenizer;

pub use kernels::kernels;
pub use model::WasmModel;
pub use pack::WasmPack;
pub use panics::report_panics;
pub use request::{CallHandle, WasmRequest};
pub use tokenizer::WasmTokenizer;
