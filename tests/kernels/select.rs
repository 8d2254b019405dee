//! `argmax_*`, `top_k_*` and `log_softmax`: odd chunks, ties, missing entries, and logits that are no numbers.

use ocelli::kernels::params::{SelectParams, TopKParams};
use ocelli::kernels::{KernelId, Step};

use crate::case::{KernelCase, Operand, Word, bytes_of_ids, dispatch, given, written_as, written_of};
use crate::random::Random;
use crate::tolerance::{CURVED, EXACT};

pub fn cases() -> Vec<KernelCase> {
    let mut cases = Vec::new();
    for (vocab, chunk) in [(1, 1), (7, 16), (1000, 37), (1027, 64)] {
        for spoil in [Spoil::Nothing, Spoil::Ties] {
            cases.push(argmax(3, vocab, chunk, spoil));
            cases.extend([1, 5, 64].map(|k| top_k(3, vocab, chunk, k, spoil)));
        }
        cases.push(argmax(3, vocab, chunk, Spoil::NotANumber));
        cases.push(log_softmax(3, vocab));
    }
    // A row each of many sequences.
    for rows in [1, 2, 33, 64] {
        cases.extend([
            argmax(rows, 259, 37, Spoil::Ties),
            top_k(rows, 259, 37, 5, Spoil::Ties),
            log_softmax(rows, 259),
        ]);
    }
    cases
}

/// What is odd about the logits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spoil {
    Nothing,
    /// Few different values.
    Ties,
    /// One NaN a row.
    NotANumber,
}

/// Room for a row more than there are.
fn capacity(rows: usize) -> usize {
    rows + 1
}

fn step(rows: usize) -> Step {
    Step::one(0, rows as u32, 0, 0)
}

fn logits(random: &mut Random, rows: usize, vocab: usize, spoil: Spoil) -> Vec<f32> {
    let mut values: Vec<f32> = random.floats(rows * vocab).into_iter().map(|x| x * 20.0).collect();
    match spoil {
        Spoil::Nothing => {}
        Spoil::Ties => values.iter_mut().for_each(|x| *x = (*x / 8.0).round()),
        Spoil::NotANumber => {
            for row in values.chunks_mut(vocab) {
                row[random.below(vocab as u32) as usize] = f32::NAN;
            }
        }
    }
    values.resize(capacity(rows) * vocab, f32::NAN);
    values
}

fn argmax(rows: usize, vocab: usize, chunk: usize, spoil: Spoil) -> KernelCase {
    let chunks = vocab.div_ceil(chunk);
    let label = format!("argmax T={rows} V={vocab} chunk={chunk} {spoil:?}");
    let mut random = Random::new(&label);
    // Of a row with a NaN only the index and the next id are promised.
    let (partial, choice): (&[Word], &[Word]) = match spoil {
        Spoil::NotANumber => (&[Word::Any], &[Word::Bits, Word::Any, Word::Any, Word::Bits]),
        _ => (&[Word::Bits, Word::Bits, Word::Float, Word::Bits], &[Word::Bits, Word::Bits, Word::Float, Word::Bits]),
    };
    let operands = vec![
        given(&logits(&mut random, rows, vocab, spoil)),
        written_as(capacity(rows) * chunks * 4, rows * chunks * 4, partial),
        written_as(capacity(rows) * 4, rows * 4, choice),
        written_as(capacity(rows), rows, &[Word::Bits]),
    ];
    let params = SelectParams {
        tokens: capacity(rows) as u32,
        vocab: vocab as u32,
        chunk: chunk as u32,
        chunks: chunks as u32,
        first_id: 1903,
        ..Default::default()
    };
    let grid = [chunks.div_ceil(32), capacity(rows), 1];
    let first = dispatch(KernelId::ArgmaxPartial, 2, &params, grid);
    let mut merge = dispatch(KernelId::ArgmaxMerge, 3, &params, [capacity(rows), 1, 1]);
    merge.bindings = vec![1, 2, 3];
    KernelCase { label, operands, dispatches: vec![first, merge], step: step(rows), tolerance: CURVED }
}

/// A tree of two levels: the best of each chunk, then the best of chunks of those.
fn top_k(rows: usize, vocab: usize, chunk: usize, k: usize, spoil: Spoil) -> KernelCase {
    let chunks = vocab.div_ceil(chunk);
    let merged_chunk = 3 * k;
    let merged_chunks = (chunks * k).div_ceil(merged_chunk);
    let label = format!("top_k T={rows} V={vocab} chunk={chunk} k={k} {spoil:?}");
    let mut random = Random::new(&label);
    let pairs = |lists: usize| written_as(capacity(rows) * lists * k * 2, rows * lists * k * 2, &[Word::Bits]);
    let operands = vec![given(&logits(&mut random, rows, vocab, spoil)), pairs(chunks), pairs(merged_chunks)];
    let params = |count: usize, chunk: usize, chunks: usize| TopKParams {
        tokens: capacity(rows) as u32,
        count: count as u32,
        chunk: chunk as u32,
        chunks: chunks as u32,
        k: k as u32,
        ..Default::default()
    };
    let grid = |chunks: usize| [chunks.div_ceil(32), capacity(rows), 1];
    let first = params(vocab, chunk, chunks);
    let first = dispatch(KernelId::TopKFirst, 2, &first, grid(chunks));
    let merge = params(chunks * k, merged_chunk, merged_chunks);
    let mut merge = dispatch(KernelId::TopKMerge, 2, &merge, grid(merged_chunks));
    merge.bindings = vec![1, 2];
    KernelCase { label, operands, dispatches: vec![first, merge], step: step(rows), tolerance: EXACT }
}

fn log_softmax(rows: usize, vocab: usize) -> KernelCase {
    let label = format!("log_softmax T={rows} V={vocab}");
    let mut random = Random::new(&label);
    let ids: Vec<u32> = (0..capacity(rows)).map(|_| random.below(vocab as u32)).collect();
    let operands = vec![
        given(&logits(&mut random, rows, vocab, Spoil::Nothing)),
        Operand::Given(bytes_of_ids(&ids)),
        written_of(capacity(rows), rows),
    ];
    let params = SelectParams { tokens: capacity(rows) as u32, vocab: vocab as u32, ..Default::default() };
    let dispatches = vec![dispatch(KernelId::LogSoftmax, 3, &params, [capacity(rows), 1, 1])];
    KernelCase { label, operands, dispatches, step: step(rows), tolerance: CURVED }
}
