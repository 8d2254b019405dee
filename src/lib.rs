//! Vision-language models that run in a browser tab.

pub mod base;
pub mod kernels;
pub mod quant;
pub mod tensor;
