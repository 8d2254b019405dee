//! Vision-language models that run in a browser tab.

pub mod base;
pub mod cpu;
pub mod format;
pub mod generate;
pub mod gpu;
pub mod graph;
pub mod image;
pub mod kernels;
pub mod models;
pub mod ops;
pub mod quant;
pub mod session;
pub mod tasks;
pub mod tensor;
pub mod text;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
