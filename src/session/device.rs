use super::Player;
use crate::base::{ErrorKind, LayerError, Remedy, Result, Setting};
use crate::cpu::CpuPlayer;
use crate::gpu::{AdapterReport, DeviceOptions, GpuPlayer, adapters};
use crate::kernels::DeviceClass;

/// Which kind of device to open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU, or else the CPU. A software adapter is slower than the CPU player and never chosen; an adapter that
    /// the options name is.
    #[default]
    Auto,
    /// The adapter that the options name, or the strongest, even if it is a software one.
    Gpu,
    /// The CPU player.
    Cpu,
}

/// An adapter named for the CPU, which has none.
#[derive(Debug, thiserror::Error)]
#[error("the adapter {0:?} was asked for together with the CPU")]
struct AdapterOnCpu(String);

impl LayerError for AdapterOnCpu {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadArgument
    }

    fn remedy(&self) -> Remedy {
        let (adapter, gpu) = (Setting::Adapter.into(), Setting::Device("gpu").into());
        Remedy::of(["Leave ".into(), adapter, " out, or choose ".into(), gpu, ".".into()])
    }
}

/// The adapter that [`DeviceChoice::Auto`] takes; `None` means the CPU.
pub fn automatic(adapters: &[AdapterReport]) -> Option<&AdapterReport> {
    adapters.iter().find(|adapter| adapter.capabilities.class == DeviceClass::Gpu)
}

impl Player {
    /// Opens a device.
    ///
    /// # Errors
    /// No adapter of that kind or name, options out of range, or an adapter that gives no device.
    pub async fn open(choice: DeviceChoice, options: &DeviceOptions) -> Result<Self> {
        let gpu = match choice {
            DeviceChoice::Gpu => true,
            DeviceChoice::Cpu => false,
            DeviceChoice::Auto => options.adapter.is_some() || automatic(&adapters().await).is_some(),
        };
        if gpu {
            return Ok(Self::Gpu(Box::new(GpuPlayer::new(options).await?)));
        }
        if let Some(adapter) = &options.adapter {
            return Err(AdapterOnCpu(adapter.clone()).into());
        }
        let player = CpuPlayer::new();
        Ok(Self::Cpu(Box::new(match options.max_binding_bytes {
            Some(bytes) => player.with_max_binding(bytes),
            None => player,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Capabilities;

    fn adapter(name: &str, class: DeviceClass) -> AdapterReport {
        let capabilities = Capabilities {
            class,
            shader_f16: false,
            subgroups: None,
            max_binding_bytes: 1 << 27,
            max_buffer_bytes: 1 << 28,
            max_workgroup_invocations: 256,
            max_workgroup_bytes: 16 << 10,
            max_workgroups: 65_535,
        };
        AdapterReport {
            name: name.into(),
            backend: "vulkan".into(),
            kind: "other",
            driver: String::new(),
            capabilities,
        }
    }

    #[test]
    fn a_software_adapter_is_never_the_automatic_choice() {
        assert_eq!(automatic(&[adapter("llvmpipe", DeviceClass::Software)]), None);
    }

    #[test]
    fn the_first_real_adapter_is_the_automatic_choice() {
        let all =
            [adapter("soft", DeviceClass::Software), adapter("a", DeviceClass::Gpu), adapter("b", DeviceClass::Gpu)];
        assert_eq!(automatic(&all).map(|adapter| adapter.name.as_str()), Some("a"));
    }
}
