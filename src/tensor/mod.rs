//! Floor 1: element types, shapes and tensors in host memory.

mod dtype;
mod host;

pub use dtype::Dtype;
pub use host::HostTensor;
