//! Vision-language models that run in a browser tab.

pub mod base;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod cpu;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod format;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod generate;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod gpu;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod graph;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod image;
pub mod kernels;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod models;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod ops;
pub mod quant;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod session;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod tasks;
pub mod tensor;
pub mod text;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
