//! Floor 5: plays recordings on WebGPU through wgpu; the only part that names wgpu.
//!
//! A [`GpuPlayer`] owns a device, the buffers made on it and the plans loaded on it. Everything costly (pipelines,
//! bind groups, scratch memory) happens in [`GpuPlayer::load`]; a [`GpuPlayer::play`] writes the 16 bytes of the
//! step, encodes what was prepared and submits once.

#![cfg_attr(
    target_arch = "wasm32",
    allow(
        clippy::arc_with_non_send_sync,
        reason = "browser handles stay on one thread; the same code shares them between threads natively"
    )
)]

mod adapters;
mod buffers;
mod check;
mod compile;
mod counters;
mod device;
mod doubts;
mod error;
mod health;
mod pipelines;
mod plan;
mod play;
mod player;
mod readback;
mod scratch;
mod timers;

pub use adapters::{AdapterReport, adapters};
pub use counters::Counts;
pub use device::DeviceOptions;
pub use error::GpuError;
pub use player::GpuPlayer;
pub use readback::Pending;
pub use timers::KernelTime;
