use crate::base::{ErrorKind, LayerError, Remedy, Setting};
use crate::graph::record::RecordingError;

/// What can go wrong between a recording and a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// There is no adapter at all.
    #[error("no WebGPU adapter was found; looked for {backends}")]
    NoAdapter {
        /// The graphics interfaces that were asked.
        backends: String,
    },
    /// There are adapters, but none of the wanted name.
    #[error("no adapter is called `{wanted}`; found {}", listed(.found))]
    UnknownAdapter {
        /// The part of a name that was wanted.
        wanted: String,
        /// The names of the adapters there are.
        found: Vec<String>,
    },
    /// The adapter would not give a device.
    #[error("the adapter `{adapter}` gave no device: {reason}")]
    NoDevice {
        /// The adapter's name.
        adapter: String,
        /// What the driver or browser said.
        reason: String,
    },
    /// Something is larger than the device allows.
    #[error("{what} needs {needed}, but the device's {limit} is {available}")]
    DeviceLimit {
        /// What was to be made.
        what: String,
        /// The limit's name.
        limit: &'static str,
        /// How much is needed.
        needed: u64,
        /// How much there is.
        available: u64,
    },
    /// A kernel needs a feature that the device lacks.
    #[error("the kernel `{kernel}` needs {feature}, which this device lacks")]
    MissingFeature {
        /// The kernel's name.
        kernel: &'static str,
        /// The feature, as WebGPU calls it.
        feature: &'static str,
    },
    /// The device has no memory left.
    #[error("the device has no memory for {what} ({needed} bytes; {held} bytes are in use): {reason}")]
    OutOfMemory {
        /// What was to be made.
        what: String,
        /// Bytes asked for.
        needed: usize,
        /// Bytes this player already held.
        held: usize,
        /// What the driver or browser said.
        reason: String,
    },
    /// The device is gone.
    #[error("the device was lost: {reason}")]
    DeviceLost {
        /// What the driver or browser said.
        reason: String,
    },
    /// An option is out of range.
    #[error("{option} is {found}; expected {expected}")]
    BadOption {
        /// The option's name.
        option: &'static str,
        /// Its value.
        found: String,
        /// What is allowed.
        expected: String,
    },
    /// A recording that contradicts the kernel table, its own buffers or the externals it was given.
    #[error(transparent)]
    BadRecording(#[from] RecordingError),
    /// A call with a buffer, plan or range that this player does not have.
    #[error("{call}: {reason}")]
    BadCall {
        /// The call.
        call: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The device rejects a kernel.
    #[error("the kernel `{kernel}` does not compile on this device: {reason}")]
    BadKernel {
        /// The kernel's name.
        kernel: &'static str,
        /// What the driver or browser said.
        reason: String,
    },
    /// The device rejected what this player sent it.
    #[error("the device rejected {what}: {reason}")]
    Rejected {
        /// What was sent.
        what: String,
        /// What the driver or browser said.
        reason: String,
    },
}

/// The names in quotes, or that there are none.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".into();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl LayerError for GpuError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoAdapter { .. } | Self::UnknownAdapter { .. } | Self::NoDevice { .. } => ErrorKind::NoDevice,
            Self::DeviceLimit { .. } | Self::MissingFeature { .. } => ErrorKind::DeviceLimit,
            Self::OutOfMemory { .. } => ErrorKind::OutOfMemory,
            Self::DeviceLost { .. } => ErrorKind::DeviceLost,
            Self::BadOption { .. } => ErrorKind::BadArgument,
            Self::BadRecording(_) | Self::BadCall { .. } | Self::BadKernel { .. } | Self::Rejected { .. } => {
                ErrorKind::Internal
            }
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::NoAdapter { .. } => {
                "Use the CPU device, or install a graphics driver (Mesa's software driver is the package \
                 mesa-vulkan-drivers; browsers need WebGPU switched on)."
            }
            Self::UnknownAdapter { .. } => "Name one of the adapters found, or leave the choice to ocelli.",
            Self::NoDevice { .. } => "Update the graphics driver or the browser, or use the CPU device.",
            Self::DeviceLimit { .. } => {
                return Remedy::of([
                    "Choose a smaller ".into(),
                    Setting::Dtype(None).into(),
                    " or picture, raise ".into(),
                    Setting::MaxBinding.into(),
                    " if it was given, or use ".into(),
                    Setting::Device("cpu").into(),
                    ".".into(),
                ]);
            }
            Self::MissingFeature { .. } => "Use another adapter or the CPU device.",
            Self::OutOfMemory { .. } => {
                "Close other programs or tabs that use the GPU, choose a smaller weight format, or use the CPU device."
            }
            Self::DeviceLost { .. } => "Load the model again; if it happens again, use the CPU device.",
            Self::BadOption { .. } => "Give the option a value in its range.",
            Self::BadRecording(_) | Self::BadCall { .. } | Self::BadKernel { .. } | Self::Rejected { .. } => {
                "This is a defect of ocelli: please report it with the adapter's name; the CPU device may work meanwhile."
            }
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_adapter_lists_what_there_is() {
        let error =
            GpuError::UnknownAdapter { wanted: "Titan".into(), found: vec!["llvmpipe".into(), "SwiftShader".into()] };
        assert_eq!(error.to_string(), "no adapter is called `Titan`; found `llvmpipe`, `SwiftShader`");
        assert_eq!(error.kind(), ErrorKind::NoDevice);
    }

    #[test]
    fn limit_says_needed_and_available() {
        let error = GpuError::DeviceLimit {
            what: "the buffer `head.0`".into(),
            limit: "maxStorageBufferBindingSize",
            needed: 2_097_152,
            available: 1_048_576,
        };
        assert_eq!(
            error.to_string(),
            "the buffer `head.0` needs 2097152, but the device's maxStorageBufferBindingSize is 1048576"
        );
        assert_eq!(error.kind(), ErrorKind::DeviceLimit);
    }
}
