use super::{Emitter, Tensor};
use crate::kernels::KernelId;
use crate::kernels::params::{SelectParams, TopKParams};

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

/// The `k` largest logits of each row with their indices, sorted: a tree of passes, each keeping the best of its chunks.
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
