use super::operand::sequence_rows;
use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::params::AttentionParams;
use crate::kernels::{DeviceClass, KernelId};

/// Where keys and values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// The rows of this pass: q, k and v are one fused qkv tensor.
    Rows,
    /// The KV cache, with so many rows in a slot.
    Cache {
        /// Rows of a slot.
        capacity: usize,
    },
    /// Tensors of other lengths, a block for each sequence that attends to them.
    Memory {
        /// Rows of a block, of which the step says how many are valid.
        rows: usize,
        /// k and v are one tensor `[.., 2 * G * K]`, keys before values, instead of two `[.., G * K]`.
        fused: bool,
    },
}

/// What is added to scores by the distance from query to key, as T5 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttentionBias<T> {
    /// A row per distance, a column per query head; columns behind those are not used. Keys farther than it reaches
    /// have its first or last row.
    pub table: T,
    /// Row for a key at the query's own position; the next row is for the key after it.
    pub center: usize,
}

/// Which keys a query sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// All.
    Full,
    /// The prefix sees itself both ways; later queries see themselves and what is before them, at most `window` keys.
    Prefix {
        /// Keys seen backwards; `None` sees all.
        window: Option<usize>,
    },
}

/// An attention in numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionSpec {
    /// H, query heads.
    pub heads: usize,
    /// G, key and value heads.
    pub kv_heads: usize,
    /// K, width of a head.
    pub head_dim: usize,
    /// Where keys and values come from.
    pub source: KeySource,
    /// Which keys a query sees.
    pub mask: Mask,
    /// Factor on q·k.
    pub scale: f32,
    /// `c` of `c * tanh(score / c)`.
    pub softcap: Option<f32>,
    /// R, rows of q of each sequence of the pass; `None` where the pass is one sequence.
    pub sequence_rows: Option<usize>,
}

impl AttentionSpec {
    /// Rows of q of each sequence, and how many sequences `rows` are.
    fn sequences(&self, rows: usize) -> (usize, usize) {
        let own = self.sequence_rows.unwrap_or(rows).max(1);
        (own, rows / own)
    }
}

/// Attention of `q` over `k` and `v`: `[T, H * K]` out.
///
/// Over rows of this pass all three are the fused qkv rows `[T, (H + 2G) * K]`; over a cache q is `[T, H * K]`, and k
/// and v are `[slots * G * capacity, K]`; over a memory k and v are `[blocks * rows, G * K]`, or one `[blocks * rows, 2
/// * G * K]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// Queries.
    pub q: Value,
    /// Keys.
    pub k: Value,
    /// Values.
    pub v: Value,
    /// What is added to scores.
    pub bias: Option<AttentionBias<Value>>,
    /// Heads, mask and scale.
    pub spec: AttentionSpec,
}

impl Operation for Attention {
    fn reads(&self) -> Vec<Operand> {
        let bias = self.bias.map(|bias| bias.table);
        [self.q, self.k, self.v].into_iter().chain(bias).map(Operand::from).collect()
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let AttentionSpec { heads, kv_heads, head_dim, source, .. } = self.spec;
        let groups = kv_heads > 0 && heads > 0 && heads.is_multiple_of(kv_heads);
        shapes.supported("the heads", format!("{heads} over {kv_heads}"), groups, "a multiple of the key heads")?;
        shapes.supported("the width of a head", head_dim, has_head_dim(head_dim), HEAD_DIMS)?;
        match source {
            KeySource::Rows => {
                let fused = (heads + 2 * kv_heads) * head_dim;
                for (what, value) in [("width of q", self.q), ("width of k", self.k), ("width of v", self.v)] {
                    shapes.equal(what, shapes.width(value), fused)?;
                }
                shapes.equal("rows of k", shapes.rows(self.k), shapes.rows(self.q))?;
                shapes.equal("rows of v", shapes.rows(self.v), shapes.rows(self.q))?;
            }
            KeySource::Cache { capacity } => {
                shapes.equal("width of q", shapes.width(self.q), heads * head_dim)?;
                for (what, value) in [("rows of the keys' cache", self.k), ("rows of the values' cache", self.v)] {
                    shapes.equal("width of the cache", shapes.width(value), head_dim)?;
                    let (rows, slot) = (shapes.rows(value), (kv_heads * capacity).max(1));
                    shapes.equal(what, rows, rows.div_ceil(slot) * slot)?;
                }
                shapes.equal("rows of the values' cache", shapes.rows(self.v), shapes.rows(self.k))?;
            }
            KeySource::Memory { rows, fused } => {
                shapes.equal("width of q", shapes.width(self.q), heads * head_dim)?;
                let width = if fused { 2 * kv_heads * head_dim } else { kv_heads * head_dim };
                for (what, value) in [("rows of the memory's keys", self.k), ("rows of the memory's values", self.v)] {
                    shapes.equal("width of the memory", shapes.width(value), width)?;
                    let (found, block) = (shapes.rows(value), rows.max(1));
                    shapes.equal(what, found, found.div_ceil(block) * block)?;
                }
                shapes.equal("rows of the memory's values", shapes.rows(self.v), shapes.rows(self.k))?;
            }
        }
        if let Some(own) = self.spec.sequence_rows {
            let rows = shapes.rows(self.q);
            shapes.equal("rows of q", rows, rows.div_ceil(own.max(1)) * own)?;
        }
        if let Some(AttentionBias { table, center }) = self.bias {
            let [rows, width] = shapes.of(table);
            shapes.supported("the width of the table of biases", width, width >= heads, "a column for each head")?;
            shapes.supported("the center of the table of biases", center, center < rows, "one of its rows")?;
        }
        Ok([shapes.rows(self.q), heads * head_dim])
    }

    fn describe(&self) -> String {
        let AttentionSpec { heads, kv_heads, head_dim, mask, scale, softcap, .. } = &self.spec;
        let memory = match self.spec.source {
            KeySource::Memory { rows, .. } => format!(", memory of {rows} rows"),
            KeySource::Rows | KeySource::Cache { .. } => String::new(),
        };
        let bias = self.bias.map_or(String::new(), |bias| format!(", biased around {}", bias.center));
        let rows = self.spec.sequence_rows.map_or(String::new(), |rows| format!(", sequences of {rows} rows"));
        format!(
            "attention {heads}/{kv_heads} heads of {head_dim}, {mask:?}, scale {scale}, softcap {softcap:?}{memory}{bias}{rows}"
        )
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (q, k, v) = (bind.tensor(self.q), bind.tensor(self.k), bind.tensor(self.v));
        let bias = self.bias.map(|bias| AttentionBias { table: bind.tensor(bias.table), center: bias.center });
        attention(e, q, [k, v], bias, &self.spec, out);
    }
}

/// Kernels hold a head in registers.
const MAX_HEAD_DIM: usize = 256;
/// What [`has_head_dim`] asks, for errors.
pub const HEAD_DIMS: &str = "a multiple of 4 up to 256";

/// Whether there are kernels for heads of this width.
pub fn has_head_dim(width: usize) -> bool {
    width > 0 && width.is_multiple_of(4) && width <= MAX_HEAD_DIM
}

/// Keys of a part when a single query's keys are split over invocations: the most that the kernels take.
const SPLIT_KEYS_GPU: usize = 64;
const SPLIT_KEYS_SERIAL: usize = 16;

/// Attention of `q` over `k` and `v`; single queries split their keys, so that more than H invocations have work.
pub fn attention(
    e: &mut Emitter,
    q: Tensor,
    [k, v]: [Tensor; 2],
    bias: Option<AttentionBias<Tensor>>,
    spec: &AttentionSpec,
    out: Tensor,
) {
    let params = params(q.rows, bias, spec);
    let (own_rows, sequences) = spec.sequences(q.rows);
    // An unused table is bound to q: the layout of a kernel does not depend on its parameters.
    let inputs = [q, k, v, bias.map_or(q, |bias| bias.table)].map(|tensor| tensor.handle);
    let class = e.capabilities.class;
    // The CPU player has a kernel of its own for one query; what it gains from more invocations are threads.
    if own_rows == 1 && class != DeviceClass::Cpu {
        return split(e, inputs, spec, params, out);
    }
    let (kernels, rows) = match class {
        DeviceClass::Gpu => ([KernelId::AttentionHd64, KernelId::AttentionHd128, KernelId::AttentionHd256], 8),
        DeviceClass::Software | DeviceClass::Cpu => {
            ([KernelId::AttentionSerialHd64, KernelId::AttentionSerialHd128, KernelId::AttentionSerialHd256], 32)
        }
    };
    let grid = [own_rows.div_ceil(rows) as u32, spec.heads as u32, sequences as u32];
    let bindings = inputs.into_iter().chain([out.handle]).collect();
    e.push(by_head_dim(kernels, spec.head_dim), bindings, &params, grid);
}

/// The parts of every sequence's one query, then their merge.
fn split(e: &mut Emitter, inputs: [u32; 4], spec: &AttentionSpec, params: AttentionParams, out: Tensor) {
    let keys = match spec.source {
        KeySource::Rows => 1,
        KeySource::Cache { capacity } => capacity,
        KeySource::Memory { rows, .. } => rows,
    };
    let serial = e.capabilities.class != DeviceClass::Gpu;
    let split_keys = if serial { SPLIT_KEYS_SERIAL } else { SPLIT_KEYS_GPU };
    let splits = keys.div_ceil(split_keys);
    let params = AttentionParams { splits: splits as u32, split_keys: split_keys as u32, ..params };
    let partial = e.scratch(out.rows * spec.heads * splits * (spec.head_dim + 4) * 4);
    let (heads, sequences) = (spec.heads as u32, out.rows as u32);
    let (kernel, grid) = if serial {
        let pairs = spec.kv_heads * (spec.heads / spec.kv_heads).div_ceil(2);
        (KernelId::AttentionSplitSerial, [splits.div_ceil(8) as u32, pairs as u32, sequences])
    } else {
        (KernelId::AttentionSplit, [splits as u32, heads, sequences])
    };
    e.push(kernel, inputs.into_iter().chain([partial]).collect(), &params, grid);
    let grid = [(spec.head_dim / 4).div_ceil(32) as u32, heads, sequences];
    e.push(KernelId::AttentionMerge, vec![partial, out.handle], &params, grid);
}

fn params(tokens: usize, bias: Option<AttentionBias<Tensor>>, spec: &AttentionSpec) -> AttentionParams {
    let (h, g, k) = (spec.heads as u32, spec.kv_heads as u32, spec.head_dim as u32);
    let base = AttentionParams {
        tokens: tokens as u32,
        sequence_rows: sequence_rows(spec.sequence_rows),
        heads: h,
        kv_heads: g,
        head_dim: k,
        scale: spec.scale,
        softcap: spec.softcap.unwrap_or(0.0),
        bias_rows: bias.map_or(0, |bias| bias.table.rows as u32),
        bias_stride: bias.map_or(0, |bias| bias.table.width as u32),
        bias_center: bias.map_or(0, |bias| bias.center as u32),
        ..Default::default()
    };
    let (mask, window) = match spec.mask {
        Mask::Full => (0, 0),
        Mask::Prefix { window } => (1, window.unwrap_or(0) as u32),
    };
    let base = AttentionParams { mask, window, ..base };
    match spec.source {
        KeySource::Rows => AttentionParams {
            q_stride: (h + 2 * g) * k,
            k_stride: (h + 2 * g) * k,
            k_offset: h * k,
            k_head_stride: k,
            v_offset: (h + g) * k,
            slot_stride: spec.sequence_rows.map_or(0, |rows| rows as u32 * (h + 2 * g) * k),
            ..base
        },
        KeySource::Cache { capacity } => AttentionParams {
            q_stride: h * k,
            k_stride: k,
            k_head_stride: capacity as u32 * k,
            slot_stride: g * capacity as u32 * k,
            source: 1,
            ..base
        },
        KeySource::Memory { rows, fused } => {
            let k_stride = if fused { 2 * g * k } else { g * k };
            AttentionParams {
                q_stride: h * k,
                k_stride,
                k_head_stride: k,
                v_offset: if fused { g * k } else { 0 },
                slot_stride: rows as u32 * k_stride,
                source: 2,
                ..base
            }
        }
    }
}

fn by_head_dim([hd64, hd128, hd256]: [KernelId; 3], head_dim: usize) -> KernelId {
    match head_dim {
        ..=64 => hd64,
        65..=128 => hd128,
        _ => hd256,
    }
}
