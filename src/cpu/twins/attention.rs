//! `attention`: softmax(q k^T) v over many queries, with the masks that the models use.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::AttentionParams;
use crate::kernels::{ALL_ROWS, Step};

/// Which keys a query sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    /// All of them.
    Full,
    /// Those before it within `window` (0: any distance), and all of the first `prefix` if it is one of them.
    Prefix {
        /// Positions that see each other both ways.
        prefix: usize,
        /// How far back a query sees; 0 for no limit.
        window: usize,
    },
}

impl Visible {
    /// Whether the query at absolute position `i` sees the key at `j`.
    pub fn sees(self, i: usize, j: usize) -> bool {
        match self {
            Self::Full => true,
            Self::Prefix { prefix, window } => {
                (i < prefix && j < prefix) || (j <= i && (window == 0 || i - j < window))
            }
        }
    }

    /// The keys among the first `keys` that the query at `i` sees: always a run.
    pub fn run(self, i: usize, keys: usize) -> std::ops::Range<usize> {
        match self {
            Self::Full => 0..keys,
            Self::Prefix { prefix, .. } if i < prefix => 0..prefix.min(keys),
            Self::Prefix { window: 0, .. } => 0..(i + 1).min(keys),
            Self::Prefix { window, .. } => (i + 1).saturating_sub(window).min(keys)..(i + 1).min(keys),
        }
    }
}

/// What is added to scores by the distance from query to key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bias<'a> {
    /// `[rows, stride]`, of which the columns of heads are used.
    pub table: &'a [f32],
    /// Rows.
    pub rows: usize,
    /// Elements of a row.
    pub stride: usize,
    /// Row for a key at the query's own position.
    pub center: usize,
}

impl Bias<'_> {
    /// What the score of a query at position `i` and a key at `j` is raised by; keys beyond the table have its ends.
    pub fn of(&self, i: usize, j: usize, h: usize) -> f32 {
        let row = (j + self.center).saturating_sub(i).min(self.rows - 1);
        self.table[row * self.stride + h]
    }
}

/// One attention over `tokens` queries and `keys` keys; strides and offsets count elements.
#[derive(Debug, Clone, Copy)]
pub struct Attention<'a> {
    /// Queries.
    pub tokens: usize,
    /// Keys and values.
    pub keys: usize,
    /// Absolute position of the first query; the first key is at position 0.
    pub position: usize,
    /// Query heads `H`, a multiple of `kv_heads`.
    pub heads: usize,
    /// Key and value heads `G`.
    pub kv_heads: usize,
    /// Elements of a head.
    pub head_dim: usize,
    /// Query `t` of head `h` starts at `t * q_stride + h * head_dim`.
    pub q: &'a [f32],
    /// From query to query.
    pub q_stride: usize,
    /// Key `j` of head `g` starts at `g * head_stride + j * kv_stride`.
    pub k: &'a [f32],
    /// The same for values.
    pub v: &'a [f32],
    /// From key to key.
    pub kv_stride: usize,
    /// From key head to key head.
    pub head_stride: usize,
    /// The mask.
    pub visible: Visible,
    /// Factor of every score.
    pub scale: f32,
    /// `c tanh(s / c)` on every score unless 0.
    pub softcap: f32,
    /// Added to every score.
    pub bias: Option<Bias<'a>>,
}

impl<'a> Attention<'a> {
    /// The query of a token and head.
    pub fn query(&self, t: usize, h: usize) -> &'a [f32] {
        &self.q[t * self.q_stride + h * self.head_dim..][..self.head_dim]
    }

    /// The key at `j` that query head `h` looks at.
    pub fn key(&self, j: usize, h: usize) -> &'a [f32] {
        &self.k[self.group(h) * self.head_stride + j * self.kv_stride..][..self.head_dim]
    }

    /// The value at `j` that query head `h` looks at.
    pub fn value(&self, j: usize, h: usize) -> &'a [f32] {
        &self.v[self.group(h) * self.head_stride + j * self.kv_stride..][..self.head_dim]
    }

    /// The key head of query head `h`.
    pub fn group(&self, h: usize) -> usize {
        h / (self.heads / self.kv_heads)
    }

    /// Scaled, capped and biased score of token `t` and key `j`, `None` where the mask hides it.
    pub fn score(&self, t: usize, h: usize, j: usize) -> Option<f64> {
        if !self.visible.sees(self.position + t, j) {
            return None;
        }
        let dot: f64 = self.query(t, h).iter().zip(self.key(j, h)).map(|(q, k)| f64::from(*q) * f64::from(*k)).sum();
        let (score, cap) = (dot * f64::from(self.scale), f64::from(self.softcap));
        let score = if cap == 0.0 { score } else { cap * (score / cap).tanh() };
        Some(score + self.bias.map_or(0.0, |bias| f64::from(bias.of(self.position + t, j, h))))
    }
}

/// Softmax-weighted sum of the values of some keys: (largest score, sum of weights, weighted sum of values).
pub(super) fn weigh(op: &Attention<'_>, t: usize, h: usize, keys: std::ops::Range<usize>) -> (f64, f64, Vec<f64>) {
    let scores: Vec<_> = keys.filter_map(|j| op.score(t, h, j).map(|score| (j, score))).collect();
    let max = scores.iter().fold(-1e30, |max: f64, &(_, score)| max.max(score));
    let mut sum = 0.0;
    let mut values = vec![0.0; op.head_dim];
    for (j, score) in scores {
        let weight = (score - max).exp();
        sum += weight;
        values.iter_mut().zip(op.value(j, h)).for_each(|(acc, v)| *acc += weight * f64::from(*v));
    }
    (max, sum, values)
}

/// `out [tokens, heads * head_dim]`; a query that sees nothing gives zeros.
pub fn attention(op: &Attention<'_>, out: &mut [f32]) {
    for (row, out) in out.chunks_exact_mut(op.head_dim).enumerate() {
        let (_, sum, values) = weigh(op, row / op.heads, row % op.heads, 0..op.keys);
        let scale = if sum == 0.0 { 0.0 } else { 1.0 / sum };
        out.iter_mut().zip(values).for_each(|(o, v)| *o = (v * scale) as f32);
    }
}

/// One attention for each sequence of a pass, whose queries come one after the other.
pub(in crate::cpu) struct Sequences<'a> {
    /// The parameters.
    pub params: AttentionParams,
    step: &'a Step,
    inputs: [&'a [f32]; 4],
}

/// Reads the bindings that prefill and decode attention share.
pub(in crate::cpu) fn bind_sequences<'a>(call: &Call<'a>) -> Result<Sequences<'a>, CpuError> {
    let params: AttentionParams = call.params()?;
    let p = &params;
    let left = p.heads.checked_rem(p.kv_heads).unwrap_or(1);
    call.agree("query heads left over per key head", left as usize, 0)?;
    call.at_most("elements of a head from key to key", p.head_dim as usize, p.k_stride as usize)?;
    let width = size(&[p.heads as usize, p.head_dim as usize]);
    call.at_most("elements of all heads from query to query", width, p.q_stride as usize)?;
    let biased = p.bias_rows > 0;
    if biased {
        call.at_most("heads of a row of biases", p.heads as usize, p.bias_stride as usize)?;
    }
    if p.source == MEMORY {
        let rows = memory_rows(p);
        for sequence in call.step.sequences().iter().filter(|sequence| sequence.memory != ALL_ROWS) {
            call.at_most("rows of a memory", sequence.memory as usize, rows)?;
        }
    }
    let bias = if biased { call.read(3, size(&[p.bias_rows as usize, p.bias_stride as usize]))? } else { &[] };
    let mut sequences = Sequences { params, step: call.step, inputs: [&[], &[], &[], bias] };
    // How far the sequences reach into the inputs.
    let mut ends = [0; 3];
    for n in 0..sequences.count() {
        let place = sequences.place(n);
        for (end, needed) in ends.iter_mut().zip(place.ends(p)) {
            *end = needed.max(*end);
        }
    }
    for (binding, end) in ends.into_iter().enumerate() {
        sequences.inputs[binding] = call.read(binding, end)?;
    }
    Ok(sequences)
}

/// `source` of keys that are the sequence's own rows.
const OWN: u32 = 0;
/// `source` of keys that are rows of a memory.
const MEMORY: u32 = 2;

/// Rows of a block of a memory.
fn memory_rows(p: &AttentionParams) -> usize {
    p.slot_stride.checked_div(p.k_stride).unwrap_or(0) as usize
}

/// Where one sequence's queries and keys are.
struct Place {
    tokens: usize,
    keys: usize,
    position: usize,
    /// First elements of its queries, keys and values.
    firsts: [usize; 3],
}

impl Place {
    /// One past the last elements that the sequence reads of queries, keys and values.
    fn ends(&self, p: &AttentionParams) -> [usize; 3] {
        let dim = p.head_dim as usize;
        // The end of the last row of the last head.
        let end = |first: usize, rows: usize, stride: u32, heads: u32, head_stride: u32| match rows {
            0 => 0,
            rows => size(&[rows - 1, stride as usize])
                .saturating_add(size(&[heads.saturating_sub(1) as usize, head_stride as usize]))
                .saturating_add(first)
                .saturating_add(dim),
        };
        let [q, k, v] = self.firsts;
        [
            end(q, self.tokens, p.q_stride, p.heads, p.head_dim),
            end(k, self.keys, p.k_stride, p.kv_heads, p.k_head_stride),
            end(v, self.keys, p.k_stride, p.kv_heads, p.k_head_stride),
        ]
    }
}

impl<'a> Sequences<'a> {
    /// How many there are.
    pub(in crate::cpu) fn count(&self) -> usize {
        self.step.sequences().len().min(self.params.tokens.div_ceil(self.params.sequence_rows.max(1)) as usize)
    }

    /// Rows of `q` and `out` of each.
    pub(in crate::cpu) fn rows(&self) -> usize {
        self.params.sequence_rows.min(self.params.tokens) as usize
    }

    fn place(&self, n: usize) -> Place {
        let (p, sequence) = (&self.params, &self.step.sequence[n]);
        let tokens = self.rows().min(sequence.tokens as usize);
        let position = if p.source == OWN { 0 } else { sequence.position as usize };
        let (keys, slot) = match p.source {
            OWN => (tokens, n),
            MEMORY => ((sequence.memory as usize).min(memory_rows(p)), sequence.memory_slot as usize),
            _ => (position.saturating_add(tokens), sequence.slot as usize),
        };
        let slot = size(&[slot, p.slot_stride as usize]);
        let q = size(&[n, self.rows(), p.q_stride as usize]);
        let firsts = [
            q.saturating_add(p.q_offset as usize),
            slot.saturating_add(p.k_offset as usize),
            slot.saturating_add(p.v_offset as usize),
        ];
        Place { tokens, keys, position, firsts }
    }

    /// The attention of the n-th sequence.
    pub(in crate::cpu) fn attention(&self, n: usize) -> Attention<'a> {
        let (p, place) = (&self.params, self.place(n));
        let part = |input: usize| self.inputs[input].get(place.firsts[input]..).unwrap_or(&[]);
        let visible = match p.mask {
            0 => Visible::Full,
            _ => Visible::Prefix { prefix: self.step.sequence[n].prefix as usize, window: p.window as usize },
        };
        let [.., table] = self.inputs;
        let (rows, stride, center) = (p.bias_rows as usize, p.bias_stride as usize, p.bias_center as usize);
        Attention {
            tokens: place.tokens,
            keys: place.keys,
            position: place.position,
            heads: p.heads as usize,
            kv_heads: p.kv_heads as usize,
            head_dim: p.head_dim as usize,
            q: part(0),
            q_stride: p.q_stride as usize,
            k: part(1),
            v: part(2),
            kv_stride: p.k_stride as usize,
            head_stride: p.k_head_stride as usize,
            visible,
            scale: p.scale,
            softcap: p.softcap,
            bias: (rows > 0).then_some(Bias { table, rows, stride, center }),
        }
    }

    /// Elements of the outputs of all sequences, each row of which has `width`.
    pub(in crate::cpu) fn outputs(&self, width: usize) -> usize {
        let end = |n: usize| match self.place(n).tokens {
            0 => 0,
            tokens => n * self.rows() + tokens,
        };
        size(&[(0..self.count()).map(end).max().unwrap_or(0), width])
    }

    /// Calls `f` with the attention of every sequence and its rows of `out`, `width` elements each.
    pub(in crate::cpu) fn each(&self, width: usize, out: &mut [f32], mut f: impl FnMut(&Attention<'a>, &mut [f32])) {
        let each = size(&[self.rows(), width]);
        for n in 0..self.count() {
            let op = self.attention(n);
            let first = n.saturating_mul(each);
            if op.tokens > 0
                && op.head_dim > 0
                && let Some(out) = out.get_mut(first..first.saturating_add(op.tokens * width))
            {
                f(&op, out);
            }
        }
    }
}

/// The attention of every sequence, and where to write them.
type Bound<'a> = (Sequences<'a>, usize, &'a mut [f32]);

/// What an `attention` kernel is called with; elements of a row of its output come second.
pub(in crate::cpu) fn bind<'a>(call: &mut Call<'a>) -> Result<Bound<'a>, CpuError> {
    let sequences = bind_sequences(call)?;
    let width = size(&[sequences.params.heads as usize, sequences.params.head_dim as usize]);
    let out = call.write::<f32>(4, sequences.outputs(width))?;
    Ok((sequences, width, out))
}

pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (sequences, width, out) = bind(call)?;
    sequences.each(width, out, attention);
    Ok(())
}
