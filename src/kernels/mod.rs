//! Floor 2: what kernels there are, what a device can do, and one run of a kernel as plain data.

mod activation;
mod capabilities;
mod dispatch;
mod step;
mod table;

pub use activation::{Activation, Function};
pub use capabilities::{Capabilities, DeviceClass, SubgroupSizes};
pub use dispatch::Dispatch;
pub use step::{ALL_ROWS, MAX_SEQUENCES, StepError};
pub use table::{Access, Kernel, KernelId, KernelInfo, Needs, Sequence, Step, params};
