use super::{Bind, Emitter, Operand, Operation, ShapeError, Shapes, Tensor, Value};
use crate::kernels::KernelId;
use crate::kernels::params::{SelectParams, TopKParams};

/// Id, logit and logsumexp of each row's largest logit, the first being that of `first_id`: `[T, V]` to `[T, 4]`. The
/// id also goes to `next_ids` `[T, 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ArgMax {
    /// Logits.
    pub logits: Value,
    /// Id of a row's first logit.
    pub first_id: usize,
    /// What the next pass takes.
    pub next_ids: Value,
}

impl Operation for ArgMax {
    fn reads(&self) -> Vec<Operand> {
        vec![self.logits.into()]
    }

    fn writes(&self) -> Vec<Value> {
        vec![self.next_ids]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let rows = shapes.rows(self.logits);
        shapes.equal("rows of the next ids", shapes.rows(self.next_ids), rows)?;
        shapes.equal("next ids per row", shapes.width(self.next_ids), 1)?;
        Ok([rows, 4])
    }

    fn describe(&self) -> String {
        "argmax".into()
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (logits, next_ids) = (bind.tensor(self.logits), bind.tensor(self.next_ids));
        argmax(e, logits, self.first_id, out, next_ids);
    }
}

/// The `k` largest logits of each row with their indices, sorted: `[T, V]` to `[T, 2k]`.
#[derive(Debug, Clone, PartialEq)]
pub struct TopK {
    /// Logits.
    pub logits: Value,
    /// How many.
    pub k: usize,
}

impl Operation for TopK {
    fn reads(&self) -> Vec<Operand> {
        vec![self.logits.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        shapes.supported("k", self.k, self.k > 0, "at least 1")?;
        Ok([shapes.rows(self.logits), 2 * self.k])
    }

    fn describe(&self) -> String {
        format!("top_k {}", self.k)
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let logits = bind.tensor(self.logits);
        top_k(e, logits, self.k, out);
    }
}

/// Log-probability of one id per row: `[T, V]` and `[T, 1]` to `[T, 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSoftmax {
    /// Logits.
    pub logits: Value,
    /// Ids.
    pub ids: Value,
}

impl Operation for LogSoftmax {
    fn reads(&self) -> Vec<Operand> {
        vec![self.logits.into(), self.ids.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError> {
        let rows = shapes.rows(self.logits);
        shapes.equal("rows of ids", shapes.rows(self.ids), rows)?;
        shapes.equal("ids per row", shapes.width(self.ids), 1)?;
        Ok([rows, 1])
    }

    fn describe(&self) -> String {
        "log_softmax".into()
    }

    fn row_wise(&self) -> Option<Vec<Value>> {
        Some(vec![self.logits, self.ids])
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (logits, ids) = (bind.tensor(self.logits), bind.tensor(self.ids));
        log_softmax(e, logits, ids, out);
    }
}

/// Logits that one invocation of a reduction looks at.
const ARGMAX_CHUNK: usize = 512;
/// Entries that one invocation sorts in, at the leaves of the tree; above them four lists of k.
const TOP_K_CHUNK: usize = 1024;

/// Index, logit and logsumexp of each row's largest logit; the index also goes to `next_ids`.
///
/// The first logit of a row is that of `first_id`.
pub fn argmax(e: &mut Emitter, logits: Tensor, first_id: usize, choice: Tensor, next_ids: Tensor) {
    let chunks = logits.width.div_ceil(ARGMAX_CHUNK);
    let params = SelectParams {
        tokens: logits.rows as u32,
        vocab: logits.width as u32,
        chunk: ARGMAX_CHUNK as u32,
        chunks: chunks as u32,
        first_id: first_id as u32,
        ..Default::default()
    };
    let partial = e.scratch(logits.rows * chunks * 16);
    let rows = logits.rows as u32;
    let grid = [chunks.div_ceil(32) as u32, rows, 1];
    e.push(KernelId::ArgmaxPartial, vec![logits.handle, partial], &params, grid);
    let bindings = vec![partial, choice.handle, next_ids.handle];
    e.push(KernelId::ArgmaxMerge, bindings, &params, [rows, 1, 1]);
}

/// The `k` largest logits of each row with their indices, sorted: a tree of passes, each keeping the best of its
/// chunks.
pub fn top_k(e: &mut Emitter, logits: Tensor, k: usize, out: Tensor) {
    let rows = logits.rows;
    let (mut kernel, mut input, mut count, mut chunk) = (KernelId::TopKFirst, logits.handle, logits.width, TOP_K_CHUNK);
    loop {
        let chunks = count.div_ceil(chunk);
        let output = if chunks == 1 { out.handle } else { e.scratch(rows * chunks * k * 8) };
        let params = TopKParams {
            tokens: rows as u32,
            count: count as u32,
            chunk: chunk as u32,
            chunks: chunks as u32,
            k: k as u32,
            ..Default::default()
        };
        let grid = [chunks.div_ceil(32) as u32, rows as u32, 1];
        e.push(kernel, vec![input, output], &params, grid);
        if chunks == 1 {
            return;
        }
        (kernel, input, count, chunk) = (KernelId::TopKMerge, output, chunks * k, (4 * k).max(64));
    }
}

/// Log-probability of one id per row.
pub fn log_softmax(e: &mut Emitter, logits: Tensor, ids: Tensor, out: Tensor) {
    let params = SelectParams { tokens: logits.rows as u32, vocab: logits.width as u32, ..Default::default() };
    let bindings = vec![logits.handle, ids.handle, out.handle];
    e.push(KernelId::LogSoftmax, bindings, &params, [logits.rows as u32, 1, 1]);
}
