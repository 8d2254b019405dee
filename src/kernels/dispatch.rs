use super::KernelId;

/// The values of a kernel's `override` constants, in the order in which the shader declares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Overrides {
    values: [u32; Self::MAX],
    len: u8,
}

impl Overrides {
    /// Most overrides a kernel may declare.
    pub const MAX: usize = 8;

    /// The given values; the table's builder makes sure that there are at most [`Self::MAX`].
    pub const fn new<const N: usize>(given: [u32; N]) -> Self {
        const { assert!(N <= Self::MAX) };
        let mut values = [0; Self::MAX];
        let mut i = 0;
        while i < N {
            values[i] = given[i];
            i += 1;
        }
        Self { values, len: N as u8 }
    }

    /// The given values, or nothing if there are more than [`Self::MAX`].
    pub fn from_slice(given: &[u32]) -> Option<Self> {
        let mut values = [0; Self::MAX];
        values.get_mut(..given.len())?.copy_from_slice(given);
        Some(Self { values, len: given.len() as u8 })
    }

    /// The values in order of declaration.
    pub fn as_slice(&self) -> &[u32] {
        &self.values[..self.len as usize]
    }
}

/// One run of a kernel, as plain data.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// Which kernel.
    pub kernel: KernelId,
    /// Its specialisation; with `kernel` the key of a pipeline.
    pub overrides: Overrides,
    /// The buffers of `@group(0)` in binding order, as indices into the recording's buffers.
    pub bindings: Vec<u32>,
    /// The bytes of the kernel's parameter struct; empty if it has none.
    pub params: Vec<u8>,
    /// Workgroups along x, y and z.
    pub grid: [u32; 3],
}
