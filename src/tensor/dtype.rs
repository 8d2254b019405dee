use std::fmt;

/// How a device stores the elements of a weight. What passes compute with is f32, and ids are u32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// 32-bit float.
    F32,
    /// 16-bit IEEE float.
    F16,
    /// 8-bit integers in blocks of 32 along the row, one f16 scale each.
    Q8,
    /// 4-bit integers in blocks of 32 along the row, one f16 scale each.
    Q4,
}

impl Dtype {
    /// The name used in files, flags and shader permutations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Q8 => "q8",
            Self::Q4 => "q4",
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
