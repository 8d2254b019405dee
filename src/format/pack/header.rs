use std::ops::Range;

use serde_json::{Map, Value, json};

use super::plan::{Part, StoredWeight};
use crate::base::sort_by_key;
use crate::quant::layout;
use crate::tensor::Dtype;

/// Data begins at a multiple of this many bytes.
const ALIGNMENT: usize = 64;

/// A tensor of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTensor {
    /// Number of the weight.
    pub weight: usize,
    /// Its rows.
    pub rows: Range<usize>,
    /// The scales, not the elements.
    pub scales: bool,
    /// Bytes.
    pub bytes: usize,
}

/// The first bytes of a shard, up to where data begins, and its tensors in the order of their data.
pub fn header(weights: &[StoredWeight], parts: &[Part]) -> (Vec<u8>, Vec<StoredTensor>) {
    let mut tensors: Vec<StoredTensor> = parts.iter().flat_map(|part| tensors_of(weights, part)).collect();
    sort_by_key(&mut tensors, |tensor| !tensor.bytes.is_multiple_of(4));
    let mut entries = Map::new();
    let mut at = 0;
    for tensor in &tensors {
        let stored = &weights[tensor.weight];
        let layout = layout(stored.dtype, stored.k);
        let (dtype, width) = match (tensor.scales, stored.dtype) {
            (true, _) => ("F16", layout.row_scales),
            (false, Dtype::Q8) => ("I8", layout.padded_k),
            (false, Dtype::Q4) => ("U8", layout.row_bytes),
            (false, Dtype::F16) => ("F16", layout.padded_k),
            (false, Dtype::F32) => ("F32", layout.padded_k),
        };
        let end = at + tensor.bytes;
        let entry = json!({"dtype": dtype, "shape": [tensor.rows.len(), width], "data_offsets": [at, end]});
        entries.insert(name(stored, tensor), entry);
        at = end;
    }
    let mut json = Value::Object(entries).to_string().into_bytes();
    json.resize((8 + json.len()).next_multiple_of(ALIGNMENT) - 8, b' ');
    ((json.len() as u64).to_le_bytes().into_iter().chain(json).collect(), tensors)
}

fn tensors_of(weights: &[StoredWeight], part: &Part) -> Vec<StoredTensor> {
    let stored = &weights[part.weight];
    let layout = layout(stored.dtype, stored.k);
    let rows = part.rows.len();
    let tensor = |scales, bytes| StoredTensor { weight: part.weight, rows: part.rows.clone(), scales, bytes };
    let mut tensors = vec![tensor(false, layout.data_bytes(rows))];
    if layout.row_scales > 0 {
        tensors.push(tensor(true, layout.row_scales * rows * 2));
    }
    tensors
}

fn name(stored: &StoredWeight, tensor: &StoredTensor) -> String {
    let mut name = stored.name.clone();
    if tensor.rows != (0..stored.rows) {
        name.push_str(&format!("@{}", tensor.rows.start));
    }
    if matches!(stored.dtype, Dtype::Q8 | Dtype::Q4) {
        name.push_str(if tensor.scales { ".scales" } else { ".data" });
    }
    name
}
