use crate::graph::record::{BufferDecl, Command, Recording, Role};
use crate::kernels::{Access, Capabilities, Dispatch};

use super::GpuError;

/// An external buffer as the session hands it over: which one it is, and its bytes.
pub(super) type External = (u32, usize);

/// Checks a recording against the kernel table, the device and the externals, so that nothing in it can make the
/// device reject a play.
pub(super) fn check(recording: &Recording, externals: &[External], device: &Capabilities) -> Result<(), GpuError> {
    let check = Check { recording, externals, device };
    for decl in &recording.buffers {
        check.buffer(decl)?;
    }
    for (index, command) in recording.commands.iter().enumerate() {
        match command {
            Command::Dispatch(dispatch) => check.dispatch(index, dispatch)?,
            Command::Copy { from, from_offset, to, to_offset, bytes } => {
                let place = format!("command {index}, a copy");
                check.range(&place, *from, *from_offset, *bytes)?;
                check.range(&place, *to, *to_offset, *bytes)?;
                if check.identity(*from) == check.identity(*to) {
                    return Err(check.wrong(place, "it copies a buffer to itself"));
                }
            }
            Command::Mark(_) => {}
        }
    }
    Ok(())
}

struct Check<'a> {
    recording: &'a Recording,
    externals: &'a [External],
    device: &'a Capabilities,
}

/// What a buffer of the recording really is: two may be one external buffer.
#[derive(PartialEq, Eq)]
enum Identity {
    Scratch(u32),
    External(u32),
}

impl Check<'_> {
    fn wrong(&self, place: impl Into<String>, reason: impl Into<String>) -> GpuError {
        GpuError::BadRecording { recording: self.recording.name.clone(), place: place.into(), reason: reason.into() }
    }

    fn buffer(&self, decl: &BufferDecl) -> Result<(), GpuError> {
        let place = || format!("the buffer `{}`", decl.label);
        if decl.bytes == 0 || !decl.bytes.is_multiple_of(4) {
            return Err(self.wrong(place(), format!("{} bytes; expected a positive multiple of 4", decl.bytes)));
        }
        if let Role::External(index) = decl.role {
            let Some((_, bytes)) = self.externals.get(index as usize) else {
                let reason = format!("it is external {index}, but {} were given", self.externals.len());
                return Err(self.wrong(place(), reason));
            };
            if *bytes < decl.bytes {
                return Err(self.wrong(place(), format!("it has {bytes} bytes; expected {}", decl.bytes)));
            }
        }
        if decl.bytes > self.device.max_binding_bytes {
            return Err(GpuError::DeviceLimit {
                what: format!("the buffer `{}` of `{}`", decl.label, self.recording.name),
                limit: "maxStorageBufferBindingSize",
                needed: decl.bytes as u64,
                available: self.device.max_binding_bytes as u64,
            });
        }
        Ok(())
    }

    fn decl(&self, place: &str, index: u32) -> Result<&BufferDecl, GpuError> {
        self.recording
            .buffers
            .get(index as usize)
            .ok_or_else(|| self.wrong(place, format!("there is no buffer {index}")))
    }

    fn identity(&self, index: u32) -> Identity {
        match self.recording.buffers[index as usize].role {
            Role::External(external) => Identity::External(self.externals[external as usize].0),
            Role::Scratch => Identity::Scratch(index),
        }
    }

    fn range(&self, place: &str, index: u32, offset: usize, bytes: usize) -> Result<(), GpuError> {
        let decl = self.decl(place, index)?;
        let inside = offset.checked_add(bytes).is_some_and(|end| end <= decl.bytes);
        if inside && offset.is_multiple_of(4) && bytes.is_multiple_of(4) && bytes > 0 {
            return Ok(());
        }
        let (label, size) = (&decl.label, decl.bytes);
        Err(self.wrong(place, format!("{bytes} bytes at {offset} are no range of words in `{label}` of {size} bytes")))
    }

    fn dispatch(&self, index: usize, dispatch: &Dispatch) -> Result<(), GpuError> {
        let info = dispatch.kernel.info();
        let place = format!("command {index}, the kernel `{}`", info.name);
        self.features(dispatch)?;
        let lengths = [
            ("bindings", dispatch.bindings.len(), info.bindings.len()),
            ("bytes of parameters", dispatch.params.len(), info.params_size as usize),
        ];
        for (what, found, expected) in lengths {
            if found != expected {
                return Err(self.wrong(place, format!("{found} {what}; expected {expected}")));
            }
        }
        if dispatch.grid.iter().any(|&groups| groups == 0 || groups > self.device.max_workgroups) {
            let (grid, most) = (dispatch.grid, self.device.max_workgroups);
            return Err(self.wrong(place, format!("the grid is {grid:?}; expected 1 to {most} along each axis")));
        }
        for &binding in &dispatch.bindings {
            self.decl(&place, binding)?;
        }
        for (i, (&written, _)) in self.written(dispatch) {
            for (j, &other) in dispatch.bindings.iter().enumerate() {
                if i != j && self.identity(written) == self.identity(other) {
                    let label = &self.recording.buffers[written as usize].label;
                    return Err(self.wrong(place, format!("binding {i} writes `{label}`, which is also binding {j}")));
                }
            }
        }
        Ok(())
    }

    fn written<'a>(&self, dispatch: &'a Dispatch) -> impl Iterator<Item = (usize, (&'a u32, &'static Access))> {
        let bindings = dispatch.bindings.iter().zip(dispatch.kernel.info().bindings);
        bindings.enumerate().filter(|(_, (_, access))| **access == Access::ReadWrite)
    }

    fn features(&self, dispatch: &Dispatch) -> Result<(), GpuError> {
        let info = dispatch.kernel.info();
        let missing = if info.needs.shader_f16 && !self.device.shader_f16 {
            "shader-f16"
        } else if info.needs.subgroups && self.device.subgroups.is_none() {
            "subgroups"
        } else {
            return Ok(());
        };
        Err(GpuError::MissingFeature { kernel: info.name, feature: missing })
    }
}
