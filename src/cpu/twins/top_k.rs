//! `top_k_first`, `top_k_merge`: the k largest entries of every chunk, and of chunks of such lists.

use std::cmp::Ordering;

use crate::base::sort_by;
use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::TopKParams;

/// What stands where a chunk has fewer than k entries: value bits and index.
pub const MISSING: [u32; 2] = [NEVER.to_bits(), u32::MAX];

/// What is not at least this, such as a NaN, is no entry.
const NEVER: f32 = -3.0e38;

/// Sorts entries by value, descending, equal values by index, and writes the first ones to `out`.
pub fn best(entries: &mut dyn Iterator<Item = (f32, u32)>, out: &mut [[u32; 2]]) {
    let mut entries: Vec<_> = entries.collect();
    sort_by(&mut entries, |a, b| b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal).then(a.1.cmp(&b.1)));
    out.fill(MISSING);
    out.iter_mut().zip(entries).for_each(|(o, (value, index))| *o = [value.to_bits(), index]);
}

/// Writes the first ones of some entries, value and index, to a list.
type Best = fn(&mut dyn Iterator<Item = (f32, u32)>, &mut [[u32; 2]]);

/// Calls `best` with the entries of every chunk of every row; missing entries are left out.
pub(in crate::cpu) fn each_chunk<T: Copy>(
    p: &TopKParams,
    rows: &[T],
    out: &mut [[u32; 2]],
    entry: impl Fn(usize, T) -> (f32, u32),
    best: Best,
) {
    let (count, chunk, chunks, k) = (p.count as usize, p.chunk as usize, p.chunks as usize, p.k as usize);
    for (row, out) in rows.chunks_exact(count.max(1)).zip(out.chunks_exact_mut((chunks * k).max(1))) {
        for (c, out) in out.chunks_exact_mut(k.max(1)).enumerate() {
            let range = (c * chunk).min(count)..((c + 1) * chunk).min(count);
            best(&mut range.map(|i| entry(i, row[i])).filter(|e| e.0 >= NEVER && e.1 != u32::MAX), out);
        }
    }
}

type Bound<'a, T> = (TopKParams, &'a [T], &'a mut [[u32; 2]]);

pub(in crate::cpu) fn bind<'a, T: bytemuck::Pod>(call: &mut Call<'a>) -> Result<Bound<'a, T>, CpuError> {
    let p: TopKParams = call.params()?;
    let tokens = call.tokens(p.tokens);
    call.at_most("entries of a row", p.count as usize, size(&[p.chunk as usize, p.chunks as usize]))?;
    let rows = call.read(0, size(&[tokens, p.count as usize]))?;
    let out = call.write(1, size(&[tokens, p.chunks as usize, p.k as usize]))?;
    Ok((p, rows, out))
}

pub(in crate::cpu) fn run_first(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (p, rows, out) = bind::<f32>(call)?;
    each_chunk(&p, rows, out, |i, value| (value, i as u32), best);
    Ok(())
}

pub(in crate::cpu) fn run_merge(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (p, rows, out) = bind::<[u32; 2]>(call)?;
    each_chunk(&p, rows, out, |_, [value, index]| (f32::from_bits(value), index), best);
    Ok(())
}
