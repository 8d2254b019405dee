use super::record::{BufferDecl, BufferId, Command, Recording, Role};
use crate::kernels::{Access, Dispatch};

/// A recording that contradicts the kernel table, its own buffers or the externals it was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the recording `{recording}` is wrong at {place}: {reason}")]
pub struct RecordingError {
    recording: String,
    place: String,
    reason: String,
}

/// An external buffer as the session hands it over, and its bytes.
pub type External = (BufferId, usize);

impl Recording {
    /// Checks what every player needs of a recording; a player adds its own limits.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self, externals: &[External]) -> Result<(), RecordingError> {
        let check = Check { recording: self, externals };
        for decl in &self.buffers {
            check.buffer(decl)?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            match command {
                Command::Dispatch(dispatch) => check.dispatch(index, dispatch)?,
                &Command::Copy { from, from_offset, to, to_offset, bytes } => {
                    let place = format!("command {index}, a copy");
                    check.range(&place, from, from_offset, bytes)?;
                    check.range(&place, to, to_offset, bytes)?;
                    if check.identity(from) == check.identity(to) {
                        return Err(self.wrong(place, "it copies a buffer to itself"));
                    }
                }
                Command::Mark(_) => {}
            }
        }
        Ok(())
    }

    /// The error of a dispatch, by its index among the commands.
    pub fn wrong_dispatch(&self, index: usize, dispatch: &Dispatch, reason: impl Into<String>) -> RecordingError {
        self.wrong(format!("command {index}, the kernel `{}`", dispatch.kernel.info().name), reason)
    }

    fn wrong(&self, place: impl Into<String>, reason: impl Into<String>) -> RecordingError {
        RecordingError { recording: self.name.clone(), place: place.into(), reason: reason.into() }
    }
}

struct Check<'a> {
    recording: &'a Recording,
    externals: &'a [External],
}

/// What a buffer of the recording really is: two may be one external buffer.
#[derive(PartialEq, Eq)]
enum Identity {
    Scratch(u32),
    External(BufferId),
}

impl Check<'_> {
    fn buffer(&self, decl: &BufferDecl) -> Result<(), RecordingError> {
        let wrong = |reason: String| self.recording.wrong(format!("the buffer `{}`", decl.label), reason);
        if decl.bytes == 0 || !decl.bytes.is_multiple_of(4) {
            return Err(wrong(format!("{} bytes; expected a positive multiple of 4", decl.bytes)));
        }
        let Role::External(index) = decl.role else { return Ok(()) };
        match self.externals.get(index as usize) {
            None => Err(wrong(format!("it is external {index}, but {} were given", self.externals.len()))),
            Some((_, bytes)) if *bytes < decl.bytes => {
                Err(wrong(format!("external {index} has {bytes} bytes; expected {}", decl.bytes)))
            }
            Some(_) => Ok(()),
        }
    }

    fn decl(&self, index: u32) -> Result<&BufferDecl, String> {
        self.recording.buffers.get(index as usize).ok_or_else(|| format!("there is no buffer {index}"))
    }

    /// Of a buffer that was found to be there.
    fn identity(&self, index: u32) -> Identity {
        match self.recording.buffers[index as usize].role {
            Role::External(external) => Identity::External(self.externals[external as usize].0),
            Role::Scratch => Identity::Scratch(index),
        }
    }

    fn range(&self, place: &str, index: u32, offset: usize, bytes: usize) -> Result<(), RecordingError> {
        let decl = self.decl(index).map_err(|reason| self.recording.wrong(place, reason))?;
        let inside = offset.checked_add(bytes).is_some_and(|end| end <= decl.bytes);
        if inside && offset.is_multiple_of(4) && bytes.is_multiple_of(4) && bytes > 0 {
            return Ok(());
        }
        let (label, size) = (&decl.label, decl.bytes);
        let reason = format!("{bytes} bytes at {offset} are no range of words in `{label}` of {size} bytes");
        Err(self.recording.wrong(place, reason))
    }

    fn dispatch(&self, index: usize, dispatch: &Dispatch) -> Result<(), RecordingError> {
        let info = dispatch.kernel.info();
        let wrong = |reason: String| self.recording.wrong_dispatch(index, dispatch, reason);
        let lengths = [
            ("bindings", dispatch.bindings.len(), info.bindings.len()),
            ("bytes of parameters", dispatch.params.len(), info.params_size as usize),
        ];
        for (what, found, expected) in lengths {
            if found != expected {
                return Err(wrong(format!("{found} {what}; expected {expected}")));
            }
        }
        for &binding in &dispatch.bindings {
            self.decl(binding).map_err(wrong)?;
        }
        for (i, (&written, access)) in dispatch.bindings.iter().zip(info.bindings).enumerate() {
            if *access != Access::ReadWrite {
                continue;
            }
            for (j, &other) in dispatch.bindings.iter().enumerate() {
                if i != j && self.identity(written) == self.identity(other) {
                    let label = &self.recording.buffers[written as usize].label;
                    return Err(wrong(format!("binding {i} writes `{label}`, which is also binding {j}")));
                }
            }
        }
        Ok(())
    }
}
