//! Floor 10: the edge towards the browser. Parses what JavaScript gives, calls, and maps answers and errors back.
//!
//! Everything here is called by `web/src/worker.ts` or, of the second module, by `web/src/extra-worker.ts`, whose types say
//! what each value looks like. Errors are thrown as plain objects `{code, message, remedy}`.

#[cfg(feature = "page")]
mod breath;
mod error;
#[cfg(feature = "page")]
mod files;
#[cfg(feature = "extra")]
mod kernels;
#[cfg(feature = "page")]
mod model;
#[cfg(feature = "page")]
mod options;
#[cfg(feature = "page")]
mod pack;
mod panics;
#[cfg(feature = "page")]
mod request;
#[cfg(feature = "extra")]
mod search;
#[cfg(feature = "extra")]
mod tokenizer;
mod value;

#[cfg(feature = "page")]
pub use files::reads_text;
#[cfg(feature = "extra")]
pub use kernels::kernels;
#[cfg(feature = "page")]
pub use model::WasmModel;
#[cfg(feature = "page")]
pub use pack::WasmPack;
pub use panics::report_panics;
#[cfg(feature = "page")]
pub use request::{CallHandle, WasmRequest};
#[cfg(feature = "extra")]
pub use search::WasmIndex;
#[cfg(feature = "extra")]
pub use tokenizer::WasmTokenizer;
