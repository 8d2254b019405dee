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
            cases.push(argmax(vocab, chunk, spoil));
            cases.extend([1, 5, 64].map(|k| top_k(vocab, chunk, k, spoil)));
        }
        cases.push(argmax(vocab, chunk, Spoil::NotANumber));
        cases.push(log_softmax(vocab));
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

const ROWS: usize = 3;
const CAPACITY: usize = 4;
const STEP: Step = Step::one(0, ROWS as u32, 0, 0);

fn logits(random: &mut Random, vocab: usize, spoil: Spoil) -> Vec<f32> {
    let mut values: Vec<f32> = random.floats(ROWS * vocab).into_iter().map(|x| x * 20.0).collect();
    match spoil {
        Spoil::Nothing => {}
        Spoil::Ties => values.iter_mut().for_each(|x| *x = (*x / 8.0).round()),
        Spoil::NotANumber => {
            for row in values.chunks_mut(vocab) {
                row[random.below(vocab as u32) as usize] = f32::NAN;
            }
        }
    }
    values.resize(CAPACITY * vocab, f32::NAN);
    values
}

fn argmax(vocab: usize, chunk: usize, spoil: Spoil) -> KernelCase {
    let chunks = vocab.div_ceil(chunk);
    let label = format!("argmax V={vocab} chunk={chunk} {spoil:?}");
    let mut random = Random::new(&label);
    // Of a row with a NaN only the index and the next id are promised.
    let (partial, choice): (&[Word], &[Word]) = match spoil {
        Spoil::NotANumber => (&[Word::Any], &[Word::Bits, Word::Any, Word::Any, Word::Bits]),
        _ => (&[Word::Bits, Word::Bits, Word::Float, Word::Bits], &[Word::Bits, Word::Bits, Word::Float, Word::Bits]),
    };
    let operands = vec![
        given(&logits(&mut random, vocab, spoil)),
        written_as(CAPACITY * chunks * 4, ROWS * chunks * 4, partial),
        written_as(CAPACITY * 4, ROWS * 4, choice),
        written_as(CAPACITY, ROWS, &[Word::Bits]),
    ];
    let params = SelectParams {
        tokens: CAPACITY as u32,
        vocab: vocab as u32,
        chunk: chunk as u32,
        chunks: chunks as u32,
        first_id: 1903,
        ..Default::default()
    };
    let grid = [chunks.div_ceil(32), CAPACITY, 1];
    let first = dispatch(KernelId::ArgmaxPartial, 2, &params, grid);
    let mut merge = dispatch(KernelId::ArgmaxMerge, 3, &params, [CAPACITY, 1, 1]);
    merge.bindings = vec![1, 2, 3];
    KernelCase { label, operands, dispatches: vec![first, merge], step: STEP, tolerance: CURVED }
}

/// A tree of two levels: the best of each chunk, then the best of chunks of those.
fn top_k(vocab: usize, chunk: usize, k: usize, spoil: Spoil) -> KernelCase {
    let chunks = vocab.div_ceil(chunk);
    let merged_chunk = 3 * k;
    let merged_chunks = (chunks * k).div_ceil(merged_chunk);
    let label = format!("top_k V={vocab} chunk={chunk} k={k} {spoil:?}");
    let mut random = Random::new(&label);
    let pairs = |lists: usize| written_as(CAPACITY * lists * k * 2, ROWS * lists * k * 2, &[Word::Bits]);
    let operands = vec![given(&logits(&mut random, vocab, spoil)), pairs(chunks), pairs(merged_chunks)];
    let params = |count: usize, chunk: usize, chunks: usize| TopKParams {
        tokens: CAPACITY as u32,
        count: count as u32,
        chunk: chunk as u32,
        chunks: chunks as u32,
        k: k as u32,
        ..Default::default()
    };
    let grid = |chunks: usize| [chunks.div_ceil(32), CAPACITY, 1];
    let first = params(vocab, chunk, chunks);
    let first = dispatch(KernelId::TopKFirst, 2, &first, grid(chunks));
    let merge = params(chunks * k, merged_chunk, merged_chunks);
    let mut merge = dispatch(KernelId::TopKMerge, 2, &merge, grid(merged_chunks));
    merge.bindings = vec![1, 2];
    KernelCase { label, operands, dispatches: vec![first, merge], step: STEP, tolerance: EXACT }
}

fn log_softmax(vocab: usize) -> KernelCase {
    let label = format!("log_softmax V={vocab}");
    let mut random = Random::new(&label);
    let ids: Vec<u32> = (0..CAPACITY).map(|_| random.below(vocab as u32)).collect();
    let operands = vec![
        given(&logits(&mut random, vocab, Spoil::Nothing)),
        Operand::Given(bytes_of_ids(&ids)),
        written_of(CAPACITY, ROWS),
    ];
    let params = SelectParams { tokens: CAPACITY as u32, vocab: vocab as u32, ..Default::default() };
    let dispatches = vec![dispatch(KernelId::LogSoftmax, 3, &params, [CAPACITY, 1, 1])];
    KernelCase { label, operands, dispatches, step: STEP, tolerance: CURVED }
}
