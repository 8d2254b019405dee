use std::future::Future;
use std::pin::Pin;

use crate::base::Result;
use crate::cpu::{Breath, CpuPlayer};
use crate::gpu::GpuPlayer;
use crate::graph::record::{BufferId, PlanId, PlayerMemory, Read, Recording};
use crate::kernels::{Capabilities, Step};

/// Bytes on their way back from a device; does not borrow the player, so further steps may be submitted meanwhile.
pub(super) type Pending = Pin<Box<dyn Future<Output = Result<Vec<u8>>>>>;

/// What the CPU player's code was compiled for.
const INSTRUCTION_SET: &str = if cfg!(target_arch = "wasm32") {
    "WebAssembly SIMD"
} else if cfg!(target_arch = "x86_64") {
    "x86-64"
} else if cfg!(target_arch = "aarch64") {
    "Arm, 64 bit"
} else {
    "portable"
};

/// What executes recordings: both play the same ones.
pub enum Player {
    /// WebGPU, or Vulkan, Metal and DirectX natively.
    Gpu(Box<GpuPlayer>),
    /// Plain and SIMD code on the CPU.
    Cpu(Box<CpuPlayer>),
}

impl Player {
    /// What the device can do.
    pub fn capabilities(&self) -> &Capabilities {
        match self {
            Self::Gpu(p) => p.capabilities(),
            Self::Cpu(p) => p.capabilities(),
        }
    }

    /// `gpu` or `cpu`.
    pub fn device(&self) -> &'static str {
        match self {
            Self::Gpu(_) => "gpu",
            Self::Cpu(_) => "cpu",
        }
    }

    /// Name of the adapter, or of the CPU's instruction set.
    pub fn adapter(&self) -> String {
        match self {
            Self::Gpu(p) => p.adapter().name.clone(),
            Self::Cpu(_) => INSTRUCTION_SET.into(),
        }
    }

    /// Sets what the CPU asks at every mark of a recording; a GPU leaves its caller free anyway.
    #[must_use]
    pub fn with_breath(self, breath: Breath) -> Self {
        match self {
            Self::Gpu(_) => self,
            Self::Cpu(p) => Self::Cpu(Box::new(p.with_breath(breath))),
        }
    }

    /// Tells the CPU how much memory it has; a GPU knows its own.
    #[must_use]
    pub fn with_memory(self, bytes: u64) -> Self {
        match self {
            Self::Gpu(_) => self,
            Self::Cpu(p) => Self::Cpu(Box::new(p.with_memory(bytes))),
        }
    }

    /// Plays that are worth submitting before the first is read back. That hides the way from a GPU to the host; the
    /// CPU works only while somebody waits, so there is no way to hide.
    pub fn plays_ahead(&self) -> usize {
        match self {
            Self::Gpu(_) => 4,
            Self::Cpu(_) => 1,
        }
    }

    /// Whether plans are worth loading before they are needed: a GPU has pipelines to compile.
    pub fn compiles(&self) -> bool {
        matches!(self, Self::Gpu(_))
    }

    /// Bytes that may still be allocated, where that is known.
    pub(super) fn available(&self) -> Option<u64> {
        match self {
            Self::Gpu(_) => None,
            Self::Cpu(p) => p.available(),
        }
    }

    /// Bytes held on the device.
    pub fn memory(&self) -> PlayerMemory {
        match self {
            Self::Gpu(p) => p.memory(),
            Self::Cpu(p) => p.memory(),
        }
    }

    pub(super) async fn create_buffer(&mut self, label: &str, bytes: usize) -> Result<BufferId> {
        Ok(match self {
            Self::Gpu(p) => p.create_buffer(label, bytes).await?,
            Self::Cpu(p) => p.create_buffer(label, bytes).await?,
        })
    }

    pub(super) fn write_buffer(&mut self, id: BufferId, offset: usize, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Gpu(p) => p.write_buffer(id, offset, bytes)?,
            Self::Cpu(p) => p.write_buffer(id, offset, bytes)?,
        }
        Ok(())
    }

    pub(super) fn free_buffer(&mut self, id: BufferId) {
        match self {
            Self::Gpu(p) => p.free_buffer(id),
            Self::Cpu(p) => p.free_buffer(id),
        }
    }

    pub(super) async fn read_buffer(&mut self, id: BufferId, offset: usize, bytes: usize) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Gpu(p) => p.read_buffer(id, offset, bytes).await?,
            Self::Cpu(p) => p.read_buffer(id, offset, bytes).await?,
        })
    }

    /// Checks a recording against what the device can do.
    pub(super) fn check(&self, recording: &Recording, externals: &[BufferId]) -> Result<()> {
        match self {
            Self::Gpu(p) => p.check(recording, externals)?,
            Self::Cpu(p) => p.check(recording, externals)?,
        }
        Ok(())
    }

    pub(super) async fn load(&mut self, recording: &Recording, externals: &[BufferId]) -> Result<PlanId> {
        Ok(match self {
            Self::Gpu(p) => p.load(recording, externals).await?,
            Self::Cpu(p) => p.load(recording, externals).await?,
        })
    }

    pub(super) fn unload(&mut self, plan: PlanId) {
        match self {
            Self::Gpu(p) => p.unload(plan),
            Self::Cpu(p) => p.unload(plan),
        }
    }

    /// Submits one play of a plan. A GPU works on it from now on; the CPU works while its future is polled.
    pub(super) fn play(&mut self, plan: PlanId, step: &Step, reads: &[Read]) -> Result<Pending> {
        Ok(match self {
            Self::Gpu(p) => {
                let pending = p.play(plan, step, reads)?;
                Box::pin(async move { Ok(pending.await?) })
            }
            Self::Cpu(p) => {
                let pending = p.play(plan, step, reads)?;
                Box::pin(async move { Ok(pending.await?) })
            }
        })
    }

    /// Drops the plays that nobody waits for any more; a GPU works them off by itself.
    pub(super) fn cancel_pending(&mut self) {
        match self {
            Self::Gpu(_) => {}
            Self::Cpu(p) => p.cancel(),
        }
    }
}
