use std::ops::Range;

use super::{WeightLayout, WeightTable};
use crate::base::{ErrorKind, Fault, Remedy};
use crate::ops::{Activation, AttentionSpec, FoldSpec, Grid, RopeSpec, RowChoice};

/// A value of a graph: a matrix `[rows, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub(super) u32);

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A node of this graph; scratch memory.
    Computed,
    /// The n-th weight of the table.
    Weight(usize),
    /// A buffer of the session by name: an input, a result, a KV cache.
    State(String),
}

/// An operation with its operands. Shapes are `[rows, width]`; see the kernels of the same names for formulas.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "operands are named as in the formulas of the kernels")]
pub enum Op {
    /// Rows of `table` by id, times `scale`; ids with the top bit set take a row of `features` as it is.
    Embed { ids: Value, table: Value, features: Option<Value>, scale: f32 },
    /// A picture `[size*size, 3]` as rows of flattened patches in channel, y, x order.
    Patchify { image: Value, size: usize, patch: usize },
    /// The neighbourhood of every pixel of `grid` as one row in channel, y, x order, zeros beyond the border.
    Unfold { x: Value, grid: Grid, kernel_size: usize },
    /// Rows as overlapping patches of a larger picture, summed, plus a bias for each channel.
    Fold { x: Value, bias: Value, grid: Grid, spec: FoldSpec },
    /// `act(x · weightᵀ + bias) + residual`, with all rows of `weight` or some.
    Linear {
        x: Value,
        weight: Value,
        bias: Option<Value>,
        residual: Option<Value>,
        activation: Activation,
        rows: RowChoice,
        part: Option<Range<usize>>,
    },
    /// LayerNorm over the width.
    LayerNorm { x: Value, weight: Value, bias: Value, eps: f32 },
    /// RMSNorm over the width with factor `1 + weight`, plus `residual`.
    RmsNorm { x: Value, weight: Value, residual: Option<Value>, eps: f32, rows: RowChoice },
    /// Rotates q and k of a fused qkv row, appends k and v to the caches and gives q.
    RopeAppend { qkv: Value, k_cache: Value, v_cache: Value, spec: RopeSpec },
    /// Attention of `q` over `k` and `v`.
    Attention { q: Value, k: Value, v: Value, spec: AttentionSpec },
    /// An activation on its own.
    Activate { x: Value, activation: Activation },
    /// Elementwise sum.
    Add { a: Value, b: Value },
    /// Id, logit and logsumexp of each row's largest logit, the first being that of `first_id`; the id also goes to
    /// `next_ids`.
    ArgMax { logits: Value, first_id: usize, next_ids: Value },
    /// The `k` largest logits of each row with their indices, sorted.
    TopK { logits: Value, k: usize },
    /// Log-probability of one id per row.
    LogSoftmax { logits: Value, ids: Value },
}

/// An operation and the value it defines.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What is done.
    pub op: Op,
    /// What it defines.
    pub output: Value,
}

#[derive(Debug, Clone)]
pub(super) struct ValueInfo {
    pub name: String,
    pub rows: usize,
    pub width: usize,
    pub origin: Origin,
}

/// Operands that do not fit together, found while a graph is built.
#[derive(Debug, thiserror::Error)]
pub enum ShapeFault {
    /// Two extents that must agree do not.
    #[error("{node}: {what} is {found}, expected {expected}")]
    Mismatch {
        /// The value being defined.
        node: String,
        /// What was compared.
        what: &'static str,
        /// The extent it has.
        found: usize,
        /// The extent it must have.
        expected: usize,
    },
    /// A width that kernels cannot address.
    #[error("{node}: width {width} is not a multiple of 4")]
    Width {
        /// The value being defined.
        node: String,
        /// Its width.
        width: usize,
    },
    /// A weight that the model did not declare.
    #[error("the graph asks for weight {0}, which the model does not declare")]
    UnknownWeight(String),
}

impl Fault for ShapeFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Mismatch { .. } => ErrorKind::BadConfig,
            Self::Width { .. } => ErrorKind::Unsupported,
            Self::UnknownWeight(_) => ErrorKind::Internal,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::UnknownWeight(_) => "This is a defect of ocelli: please report it with the model's config.json.",
            _ => "Check that config.json belongs to this checkpoint.",
        }
        .into()
    }
}

/// A pass of a model: nodes in order of execution over weights, states and computed values.
#[derive(Debug, Clone)]
pub struct Graph {
    /// What pass this is.
    pub name: String,
    pub(super) weights: WeightTable,
    pub(super) values: Vec<ValueInfo>,
    pub(super) nodes: Vec<Step>,
}

/// A node, or the name of what begins here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Node(Node),
    Mark(String),
}

type Built = Result<Value, ShapeFault>;

impl Graph {
    /// An empty graph over the given weights.
    pub fn new(name: impl Into<String>, weights: &WeightTable) -> Self {
        Self { name: name.into(), weights: weights.clone(), values: Vec::new(), nodes: Vec::new() }
    }

    /// Names what begins here, such as a layer.
    pub fn mark(&mut self, label: impl Into<String>) {
        self.nodes.push(Step::Mark(label.into()));
    }

    /// A buffer of the session, `[rows, width]`.
    pub fn state(&mut self, name: &str, rows: usize, width: usize) -> Value {
        let origin = Origin::State(name.into());
        if let Some(i) = self.values.iter().position(|v| v.origin == origin) {
            return Value(i as u32);
        }
        self.define(name, rows, width, origin)
    }

    /// A declared weight by name.
    pub fn weight(&mut self, name: &str) -> Built {
        let index = self.weights.find(name).ok_or_else(|| ShapeFault::UnknownWeight(name.into()))?;
        let origin = Origin::Weight(index);
        if let Some(i) = self.values.iter().position(|v| v.origin == origin) {
            return Ok(Value(i as u32));
        }
        let WeightLayout { rows, k, .. } = self.weights.layouts()[index];
        Ok(self.define(name, rows, k, origin))
    }

    /// Keeps a computed value in a buffer of the session instead of scratch memory.
    pub fn keep(&mut self, value: Value, state: &str) {
        self.values[value.0 as usize].origin = Origin::State(state.into());
    }

    /// The value that a node of this name defines, if there is one.
    pub fn find(&self, name: &str) -> Option<Value> {
        self.nodes().map(|node| node.output).find(|&value| self.info(value).name == name)
    }

    /// Rows of a value.
    pub fn rows(&self, value: Value) -> usize {
        self.info(value).rows
    }

    /// Width of a value.
    pub fn width(&self, value: Value) -> usize {
        self.info(value).width
    }

    /// The nodes in order of execution.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter_map(|s| match s {
            Step::Node(node) => Some(node),
            Step::Mark(_) => None,
        })
    }

    pub(super) fn info(&self, value: Value) -> &ValueInfo {
        &self.values[value.0 as usize]
    }

    fn define(&mut self, name: &str, rows: usize, width: usize, origin: Origin) -> Value {
        self.values.push(ValueInfo { name: name.into(), rows, width, origin });
        Value(self.values.len() as u32 - 1)
    }

    /// Adds a node after checking its operands; the output's shape follows from them.
    pub fn push(&mut self, name: &str, op: Op) -> Built {
        let (rows, width) = self.infer(name, &op)?;
        let activation =
            matches!(op, Op::Embed { .. } | Op::LayerNorm { .. } | Op::RmsNorm { .. } | Op::Attention { .. });
        if activation && !width.is_multiple_of(4) {
            return Err(ShapeFault::Width { node: name.into(), width });
        }
        let output = self.define(name, rows, width, Origin::Computed);
        self.nodes.push(Step::Node(Node { op, output }));
        Ok(output)
    }

    /// The shape of what `op` defines, or which operands disagree.
    fn infer(&self, name: &str, op: &Op) -> Result<(usize, usize), ShapeFault> {
        let equal = |what, found, expected| {
            if found == expected {
                Ok(())
            } else {
                Err(ShapeFault::Mismatch { node: name.into(), what, found, expected })
            }
        };
        let shape = |v: &Value| (self.rows(*v), self.width(*v));
        match op {
            Op::Embed { ids, table, features, .. } => {
                let width = self.width(*table);
                equal("ids per row", self.width(*ids), 1)?;
                features.iter().try_for_each(|f| equal("width of the image features", self.width(*f), width))?;
                Ok((self.rows(*ids), width))
            }
            Op::Patchify { image, size, patch } => {
                equal("pixels", self.rows(*image), size * size)?;
                equal("channels", self.width(*image), 3)?;
                let grid = size / patch;
                Ok((grid * grid, (3 * patch * patch).next_multiple_of(4)))
            }
            Op::Unfold { x, grid, kernel_size } => {
                equal("pixels to unfold", self.rows(*x), grid.pixels())?;
                Ok((grid.pixels(), self.width(*x) * kernel_size * kernel_size))
            }
            Op::Fold { x, bias, grid, spec } => {
                let channels = self.rows(*bias) * self.width(*bias);
                equal("patches to fold", self.rows(*x), grid.pixels())?;
                equal("width of the patches", self.width(*x), channels * spec.kernel_size * spec.kernel_size)?;
                Ok((spec.out(*grid).pixels(), channels))
            }
            Op::Linear { x, weight, bias, residual, activation, rows, part } => {
                let (all, k) = shape(weight);
                let n = part.as_ref().map_or(all, |part| part.len());
                if let Some(part) = part.as_ref().filter(|part| part.end > all || part.start >= part.end) {
                    let what = "end of the rows of the weight";
                    return Err(ShapeFault::Mismatch { node: name.into(), what, found: part.end, expected: all });
                }
                equal("width of the input", self.width(*x), k.next_multiple_of(4))?;
                if let Some(bias) = bias {
                    equal("length of the bias", self.rows(*bias) * self.width(*bias), n)?;
                }
                let width = activation.width(n);
                let rows = rows.count(self.rows(*x));
                if let Some(r) = residual {
                    equal("width of the residual", self.width(*r), width)?;
                    equal("rows of the residual", self.rows(*r), rows)?;
                }
                Ok((rows, width))
            }
            Op::LayerNorm { x, weight, bias, .. } => {
                let (rows, width) = shape(x);
                equal("width of the norm's weight", self.width(*weight), width)?;
                equal("width of the norm's bias", self.width(*bias), width)?;
                Ok((rows, width))
            }
            Op::RmsNorm { x, weight, residual, rows, .. } => {
                let width = self.width(*x);
                equal("width of the norm's weight", self.width(*weight), width)?;
                residual.iter().try_for_each(|r| equal("width of the residual", self.width(*r), width))?;
                Ok((rows.count(self.rows(*x)), width))
            }
            Op::RopeAppend { qkv, k_cache, v_cache, spec } => {
                let (rows, width) = shape(qkv);
                equal("width of qkv", width, (spec.heads + 2 * spec.kv_heads) * spec.head_dim)?;
                for cache in [k_cache, v_cache] {
                    equal("width of the cache", self.width(*cache), spec.head_dim)?;
                }
                Ok((rows, spec.heads * spec.head_dim))
            }
            Op::Attention { q, spec, .. } => Ok((self.rows(*q), spec.heads * spec.head_dim)),
            Op::Activate { x, activation } => Ok((self.rows(*x), activation.width(self.width(*x)))),
            Op::Add { a, b } => {
                equal("rows of the sum", self.rows(*b), self.rows(*a))?;
                equal("width of the sum", self.width(*b), self.width(*a))?;
                Ok(shape(a))
            }
            Op::ArgMax { logits, .. } => Ok((self.rows(*logits), 4)),
            Op::TopK { logits, k } => Ok((self.rows(*logits), 2 * k)),
            Op::LogSoftmax { logits, ids } => {
                equal("rows of ids", self.rows(*ids), self.rows(*logits))?;
                Ok((self.rows(*logits), 1))
            }
        }
    }
}

impl Op {
    /// The values that the operation reads.
    pub fn inputs(&self) -> Vec<Value> {
        match self {
            Self::Embed { ids, table, features, .. } => {
                [Some(*ids), Some(*table), *features].into_iter().flatten().collect()
            }
            Self::Patchify { image, .. } => vec![*image],
            Self::Unfold { x, .. } => vec![*x],
            Self::Fold { x, bias, .. } => vec![*x, *bias],
            Self::Linear { x, weight, bias, residual, .. } => {
                [Some(*x), Some(*weight), *bias, *residual].into_iter().flatten().collect()
            }
            Self::LayerNorm { x, weight, bias, .. } => vec![*x, *weight, *bias],
            Self::RmsNorm { x, weight, residual, .. } => {
                [Some(*x), Some(*weight), *residual].into_iter().flatten().collect()
            }
            Self::RopeAppend { qkv, k_cache, v_cache, .. } => vec![*qkv, *k_cache, *v_cache],
            Self::Attention { q, k, v, .. } => vec![*q, *k, *v],
            Self::Activate { x, .. } => vec![*x],
            Self::Add { a, b } => vec![*a, *b],
            Self::ArgMax { logits, next_ids, .. } => vec![*logits, *next_ids],
            Self::TopK { logits, .. } => vec![*logits],
            Self::LogSoftmax { logits, ids } => vec![*logits, *ids],
        }
    }
}

impl Op {
    /// The operation and its numbers, without operands.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Embed { scale, .. } => format!("embed scale {scale}"),
            Self::Patchify { patch, .. } => format!("patchify {patch}"),
            Self::Unfold { kernel_size, .. } => format!("unfold {kernel_size}"),
            Self::Fold { spec, .. } => format!("fold {} stride {}", spec.kernel_size, spec.stride),
            Self::Linear { activation, rows, part: None, .. } => format!("linear {activation:?} {rows:?}"),
            Self::Linear { activation, rows, part: Some(part), .. } => {
                format!("linear {activation:?} {rows:?} of {part:?}")
            }
            Self::LayerNorm { .. } => "layer_norm".into(),
            Self::RmsNorm { rows, .. } => format!("rms_norm {rows:?}"),
            Self::RopeAppend { spec, .. } => format!("rope_append theta {}", spec.theta),
            Self::Attention { spec, .. } => {
                let AttentionSpec { heads, kv_heads, head_dim, mask, scale, softcap, .. } = spec;
                format!(
                    "attention {heads}/{kv_heads} heads of {head_dim}, {mask:?}, scale {scale}, softcap {softcap:?}"
                )
            }
            Self::Activate { activation, .. } => format!("activate {activation:?}"),
            Self::Add { .. } => "add".into(),
            Self::ArgMax { .. } => "argmax".into(),
            Self::TopK { k, .. } => format!("top_k {k}"),
            Self::LogSoftmax { .. } => "log_softmax".into(),
        }
    }
}
