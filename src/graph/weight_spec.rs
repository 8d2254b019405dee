use crate::quant::layout;
use crate::tensor::Dtype;

/// How a weight is stored on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In the dtype the user chose, split by rows as the device needs.
    Matrix,
    /// Always f32 and in one piece: norms, biases, position tables.
    F32Whole,
}

/// Which tensors of a checkpoint make up a weight `[rows, k]`, by their canonical names.
///
/// The last axes of a tensor that make `k` are its columns, all before them its rows. A vector, which has one row, is
/// taken as `k` rows of one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The rows of these tensors, one after the other.
    Concat(Vec<String>),
    /// Row 0 of the first, row 0 of the second, row 1 of the first, and so on: a GeGLU's gate and up rows in pairs.
    Interleave(String, String),
    /// A tensor `[k, ...]` as `[rows, k]`: the weights of a transposed convolution by what they give.
    Transposed(String),
    /// As many rows of a tensor as the weight has: keys and values of a fused projection.
    Part {
        /// The tensor.
        tensor: String,
        /// The first of the rows.
        first: usize,
    },
    /// A tensor whose columns are `[pixels, channels]`, as `[channels, pixels]`: the order of patches here.
    ChannelsFirst {
        /// The tensor.
        tensor: String,
        /// How many channels.
        channels: usize,
    },
    /// Rows of another source, each times its element of a vector: `gamma * (W x + b)` with `gamma` in `W` and `b`.
    Scaled {
        /// The other source.
        source: Box<Self>,
        /// The vector.
        by: String,
    },
    /// The first of two where a checkpoint has its tensors, else the second: one tensor here is several there.
    Either(Box<[Self; 2]>),
}

impl Source {
    /// One tensor as it is.
    pub fn tensor(name: impl Into<String>) -> Self {
        Self::Concat(vec![name.into()])
    }

    /// The rows from `first` on of a tensor.
    pub fn part(name: impl Into<String>, first: usize) -> Self {
        Self::Part { tensor: name.into(), first }
    }

    /// This source, or another where a checkpoint lacks a tensor of it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Either(Box::new([self, other]))
    }

    /// The tensors that it is put together from.
    pub fn tensors(&self) -> Vec<&str> {
        match self {
            Self::Concat(names) => names.iter().map(String::as_str).collect(),
            Self::Interleave(one, other) => vec![one, other],
            Self::Transposed(tensor) | Self::Part { tensor, .. } | Self::ChannelsFirst { tensor, .. } => vec![tensor],
            Self::Scaled { source, by } => source.tensors().into_iter().chain([by.as_str()]).collect(),
            Self::Either(sources) => sources[0].tensors(),
        }
    }

    /// The same, each row times its element of a vector.
    #[must_use]
    pub fn scaled(self, by: impl Into<String>) -> Self {
        Self::Scaled { source: Box::new(self), by: by.into() }
    }
}

/// A weight `[rows, k]` as a graph declares it where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightSpec {
    /// The name within the runtime, such as `decoder.3.qkv`.
    pub name: String,
    /// N; 1 for a vector.
    pub rows: usize,
    /// K: all axes after the first, flattened.
    pub k: usize,
    /// How it is stored.
    pub storage: Storage,
    /// Where it comes from.
    pub source: Source,
}

impl WeightSpec {
    /// What it is kept in where matrices are kept in `dtype`.
    pub fn kept_in(&self, dtype: Dtype) -> Dtype {
        match self.storage {
            Storage::F32Whole => Dtype::F32,
            Storage::Matrix => dtype,
        }
    }

    /// Bytes on a device that holds matrices in `dtype`: all of a model's may be more than a 32-bit program can count.
    pub fn bytes(&self, dtype: Dtype) -> u64 {
        let layout = layout(self.kept_in(dtype), self.k);
        let rows = self.rows as u64;
        rows * layout.row_bytes as u64 + (rows * layout.row_scales as u64 * 2).next_multiple_of(4)
    }
}
