use std::collections::HashMap;
use std::ops::Range;

use super::{Storage, WeightSpec};
use crate::base::{Error, ErrorKind, LayerError, Remedy, Result, Setting};
use crate::quant::layout;
use crate::tensor::Dtype;

/// How a weight matrix `[rows, k]` lies on a device: its dtype and the row ranges of its shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightLayout {
    /// The name a graph asks for.
    pub name: String,
    /// N, the number of rows.
    pub rows: usize,
    /// K, the number of elements of a row before padding.
    pub k: usize,
    /// How elements are stored; scales of quantised ones lie in a buffer of their own.
    pub dtype: Dtype,
    /// Consecutive row ranges, one buffer each, none above the device's binding limit.
    pub shards: Vec<Range<usize>>,
}

/// A weight, or two rows of one, that do not fit a binding.
#[derive(Debug, thiserror::Error)]
#[error("weight {name} needs {needed} bytes {part}, and a binding of the device holds {allowed}")]
pub struct TooLarge {
    name: String,
    /// What the bytes are for.
    part: &'static str,
    needed: usize,
    allowed: usize,
}

impl LayerError for TooLarge {
    fn kind(&self) -> ErrorKind {
        ErrorKind::DeviceLimit
    }

    fn remedy(&self) -> Remedy {
        Remedy::of([
            "Use a smaller ".into(),
            Setting::Dtype(None).into(),
            ", a larger ".into(),
            Setting::MaxBinding.into(),
            ", or ".into(),
            Setting::Device("cpu").into(),
            ".".into(),
        ])
    }
}

impl WeightLayout {
    /// Bytes on the device.
    pub fn bytes(&self) -> usize {
        let layout = layout(self.dtype, self.k);
        self.shards.iter().map(|shard| layout.data_bytes(shard.len()) + layout.scale_bytes(shard.len())).sum()
    }

    /// Splits `rows` rows of `k` elements so that no shard's data exceeds `max_binding_bytes`.
    ///
    /// Every shard but the last has an even number of rows: pairs of rows stay together (GeGLU) and the f16 scales of
    /// a shard start on a 32-bit word.
    pub fn new(name: &str, rows: usize, k: usize, dtype: Dtype, max_binding_bytes: usize) -> Result<Self, Error> {
        let row_bytes = layout(dtype, k).row_bytes.max(1);
        let most = max_binding_bytes / row_bytes / 2 * 2;
        if most == 0 && rows * row_bytes > max_binding_bytes {
            return Err(too_large(name, "for two of its rows", 2 * row_bytes, max_binding_bytes));
        }
        let step = most.max(2).min(rows.max(1));
        let shards = (0..rows).step_by(step).map(|first| first..(first + step).min(rows)).collect();
        Ok(Self { name: name.into(), rows, k, dtype, shards })
    }

    /// A weight that kernels bind in one piece, as they do with norms, biases and position tables.
    ///
    /// # Errors
    /// More than `max_binding_bytes`.
    pub fn whole(name: &str, rows: usize, k: usize, dtype: Dtype, max_binding_bytes: usize) -> Result<Self, Error> {
        let needed = layout(dtype, k).data_bytes(rows);
        if needed > max_binding_bytes {
            return Err(too_large(name, "in one piece", needed, max_binding_bytes));
        }
        Self::new(name, rows, k, dtype, max_binding_bytes)
    }
}

fn too_large(name: &str, part: &'static str, needed: usize, allowed: usize) -> Error {
    TooLarge { name: name.into(), part, needed, allowed }.into()
}

/// All weights of a model by name, in order of execution.
#[derive(Debug, Clone, Default)]
pub struct WeightTable {
    layouts: Vec<WeightLayout>,
    index: HashMap<String, usize>,
}

impl WeightTable {
    /// A table of the given layouts.
    pub fn new(layouts: Vec<WeightLayout>) -> Self {
        let index = layouts.iter().enumerate().map(|(i, w)| (w.name.clone(), i)).collect();
        Self { layouts, index }
    }

    /// Where weights would lie on a device whose bindings hold so many bytes, each in the dtype that `dtype` says.
    ///
    /// # Errors
    /// A weight whose rows no binding holds.
    pub fn of(specs: &[WeightSpec], dtype: impl Fn(&WeightSpec) -> Dtype, max_binding_bytes: usize) -> Result<Self> {
        let layouts = specs.iter().map(|spec| {
            let new = match spec.storage {
                Storage::Matrix => WeightLayout::new,
                Storage::F32Whole => WeightLayout::whole,
            };
            new(&spec.name, spec.rows, spec.k, dtype(spec), max_binding_bytes)
        });
        Ok(Self::new(layouts.collect::<Result<_>>()?))
    }

    /// The number of a weight in order of execution.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The layouts in order of execution.
    pub fn layouts(&self) -> &[WeightLayout] {
        &self.layouts
    }
}
