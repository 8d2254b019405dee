use super::GpuError;
use crate::graph::record::{Command, External, Recording};
use crate::kernels::{Capabilities, Dispatch};

/// Checks a recording against the kernel table, the device and the externals, so that nothing in it can make the
/// device reject a play.
pub(super) fn check(recording: &Recording, externals: &[External], device: &Capabilities) -> Result<(), GpuError> {
    recording.check(externals)?;
    for decl in &recording.buffers {
        if decl.bytes > device.max_binding_bytes {
            return Err(GpuError::DeviceLimit {
                what: format!("the buffer `{}` of `{}`", decl.label, recording.name),
                limit: "maxStorageBufferBindingSize",
                needed: decl.bytes as u64,
                available: device.max_binding_bytes as u64,
            });
        }
    }
    for (index, command) in recording.commands.iter().enumerate() {
        let Command::Dispatch(dispatch) = command else { continue };
        features(dispatch, device)?;
        let (grid, most) = (dispatch.grid, device.max_workgroups);
        if grid.iter().any(|&groups| groups == 0 || groups > most) {
            let reason = format!("the grid is {grid:?}; expected 1 to {most} along each axis");
            return Err(recording.wrong_dispatch(index, dispatch, reason).into());
        }
    }
    Ok(())
}

fn features(dispatch: &Dispatch, device: &Capabilities) -> Result<(), GpuError> {
    let info = dispatch.kernel.info();
    let missing = if info.needs.shader_f16 && !device.shader_f16 {
        "shader-f16"
    } else if info.needs.subgroups && device.subgroups.is_none() {
        "subgroups"
    } else {
        return Ok(());
    };
    Err(GpuError::MissingFeature { kernel: info.name, feature: missing })
}
