use crate::quant::layout;
use crate::tensor::Dtype;

/// How a weight is stored on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In the dtype the user chose, split by rows as the device needs.
    Matrix,
    /// Always f32 and in one piece: norms, biases, position tables.
    Exact,
}

/// Which tensors of a checkpoint make up a weight, by their canonical names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The rows of these tensors, one after the other.
    Concat(Vec<String>),
    /// Row 0 of the first, row 0 of the second, row 1 of the first, and so on: a GeGLU's gate and up rows in pairs.
    Interleave(String, String),
    /// A tensor `[k, ...]` as `[rows, k]`: the weights of a transposed convolution by what they give.
    Transposed(String),
}

/// A weight `[rows, k]` that a model's graphs ask for by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightSpec {
    /// The name within the runtime, such as `decoder.3.qkv`.
    pub name: String,
    /// N; 1 for a vector.
    pub rows: usize,
    /// K: all axes after the first, flattened.
    pub k: usize,
    /// How it is stored.
    pub form: Form,
    /// Where it comes from.
    pub source: Source,
}

impl WeightSpec {
    /// A matrix `[rows, k]` in the chosen dtype.
    pub fn matrix(name: impl Into<String>, rows: usize, k: usize, source: Source) -> Self {
        Self { name: name.into(), rows, k, form: Form::Matrix, source }
    }

    /// What it is kept in where matrices are kept in `dtype`.
    pub fn kept_in(&self, dtype: Dtype) -> Dtype {
        match self.form {
            Form::Exact => Dtype::F32,
            Form::Matrix => dtype,
        }
    }

    /// Bytes on a device that holds matrices in `dtype`: all of a model's may be more than a 32-bit program can count.
    pub fn bytes(&self, dtype: Dtype) -> u64 {
        let layout = layout(self.kept_in(dtype), self.k);
        let rows = self.rows as u64;
        rows * layout.row_bytes as u64 + (rows * layout.row_scales as u64 * 2).next_multiple_of(4)
    }

    /// A matrix `[rows, k]` that stays f32.
    pub fn exact(name: impl Into<String>, rows: usize, k: usize, source: Source) -> Self {
        Self { name: name.into(), rows, k, form: Form::Exact, source }
    }
}

impl Source {
    /// One tensor as it is.
    pub fn tensor(name: impl Into<String>) -> Self {
        Self::Concat(vec![name.into()])
    }
}
