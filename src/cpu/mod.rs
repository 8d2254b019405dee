//! Floor 5: plays recordings on the CPU.
//!
//! Every kernel has a plain twin here, under the kernel's own base name: a short function that is obviously right and
//! against which every other version of the kernel is tested. The hot ones also have a [fast](fast) version.

mod activation;
mod buffer;
mod call;
mod error;
pub mod fast;
mod load;
mod player;
mod queue;
mod registry;
#[cfg(test)]
mod tests;
pub mod twins;

pub use error::CpuError;
pub use player::{Breath, CpuPlayer};
pub use queue::Pending;
