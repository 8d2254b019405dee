//! Where a model runs, and how its weights are kept: arguments that commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ocelli::session::{DeviceChoice, DeviceOptions};
use ocelli::tasks::Dtype;

/// Which model, how it is kept, where it runs, and how it is told.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// A pack or a checkpoint's directory, instead of the small model that is built in.
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// How weights of a checkpoint are kept on the device [default: q8]; a pack keeps its own.
    #[arg(long, value_enum)]
    pub dtype: Option<DtypeArg>,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Print one JSON object on one line.
    #[arg(long)]
    pub json: bool,
}

/// Where to run.
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// `auto` takes a real GPU, or else the CPU; a software adapter runs only when asked for by `gpu`.
    #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
    device: DeviceArg,
    /// Part of the name of the adapter to use, such as `nvidia` or `(vulkan)`; see `ocelli devices`.
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Behave like a device whose largest storage binding is this many MiB; fractions are allowed.
    #[arg(long, value_name = "N", value_parser = mebibytes)]
    max_binding_mib: Option<usize>,
}

impl DeviceArgs {
    pub fn choice(&self) -> DeviceChoice {
        match self.device {
            DeviceArg::Auto => DeviceChoice::Auto,
            DeviceArg::Gpu => DeviceChoice::Gpu,
            DeviceArg::Cpu => DeviceChoice::Cpu,
        }
    }

    pub fn options(&self) -> DeviceOptions {
        DeviceOptions {
            adapter: self.adapter.clone(),
            max_binding_bytes: self.max_binding_mib,
            ..DeviceOptions::default()
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DeviceArg {
    Auto,
    Gpu,
    Cpu,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DtypeArg {
    F32,
    F16,
    Q8,
    Q4,
}

impl DtypeArg {
    pub fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::Q8 => Dtype::Q8,
            Self::Q4 => Dtype::Q4,
        }
    }
}

/// A number of MiB in whole words of four bytes.
pub fn mebibytes(text: &str) -> Result<usize, String> {
    let mib: f64 = text.parse().map_err(|_| "expected a number of MiB".to_owned())?;
    let bytes = mib * f64::from(1 << 20);
    if bytes.is_finite() && (4.0..9e15).contains(&bytes) {
        Ok((bytes as u64 & !3) as usize)
    } else {
        Err("expected a positive number of MiB".into())
    }
}

/// A number above 0.
pub fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (1e-9..=1e12).contains(number));
    number.ok_or_else(|| "expected a number from 1e-9 to 1e12".into())
}
