use crate::base::round_up;
use crate::tensor::Dtype;

/// Elements per quantisation block along K.
pub const BLOCK: usize = 32;

/// Where the bytes of a weight matrix `[N, K]` lie, for one dtype.
///
/// | dtype | row padded to | data of a row | scales of a row |
/// | --- | --- | --- | --- |
/// | f32 | 4 | `K'` little-endian f32 | none |
/// | f16 | 4 | `K'` little-endian f16 | none |
/// | q8 | 32 | `K'` two's complement int8 in `-127..=127`; value = `q * scale` | `K'/32` f16 |
/// | q4 | 32 | 16 bytes a block: byte `i` holds element `i` in its low nibble and `i + 16` in its high one; value = `(q - 8) * scale`, `q` in `0..=15` | `K'/32` f16 |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Elements of a row after padding, `K'`.
    pub padded_k: usize,
    /// Bytes of a row in the data array; a multiple of 8.
    pub row_bytes: usize,
    /// f16 scales of a row in the scales array; zero where the dtype has none.
    pub row_scales: usize,
}

impl Layout {
    /// Bytes of the data array of `rows` rows.
    pub const fn data_bytes(&self, rows: usize) -> usize {
        self.row_bytes * rows
    }

    /// Bytes of the scales array of `rows` rows, rounded up to whole 32-bit words.
    pub const fn scale_bytes(&self, rows: usize) -> usize {
        round_up(self.row_scales * rows * 2, 4)
    }
}

/// The layout of a weight matrix with rows of `k` elements.
pub const fn layout(dtype: Dtype, k: usize) -> Layout {
    match dtype {
        Dtype::F32 => {
            let padded_k = round_up(k, 4);
            Layout { padded_k, row_bytes: padded_k * 4, row_scales: 0 }
        }
        Dtype::F16 => {
            let padded_k = round_up(k, 4);
            Layout { padded_k, row_bytes: padded_k * 2, row_scales: 0 }
        }
        Dtype::Q8 => {
            let padded_k = round_up(k, BLOCK);
            Layout { padded_k, row_bytes: padded_k, row_scales: padded_k / BLOCK }
        }
        Dtype::Q4 => {
            let padded_k = round_up(k, BLOCK);
            Layout { padded_k, row_bytes: padded_k / 2, row_scales: padded_k / BLOCK }
        }
    }
}
