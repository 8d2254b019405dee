//! Top-k with a short sorted list: most entries are turned away by one comparison.

use super::workspace::Workspace;
use crate::cpu::CpuError;
use crate::cpu::call::Call;
use crate::cpu::twins::top_k::{MISSING, bind, each_chunk};

pub(super) fn run_first(call: &mut Call<'_>, _: &mut Workspace) -> Result<(), CpuError> {
    let (p, rows, out) = bind::<f32>(call)?;
    each_chunk(&p, rows, out, |i, value| (value, i as u32), best);
    Ok(())
}

pub(super) fn run_merge(call: &mut Call<'_>, _: &mut Workspace) -> Result<(), CpuError> {
    let (p, rows, out) = bind::<[u32; 2]>(call)?;
    each_chunk(&p, rows, out, |_, [value, index]| (f32::from_bits(value), index), best);
    Ok(())
}

/// The same as [`twins::top_k::best`](crate::cpu::twins::top_k::best).
pub fn best(entries: &mut dyn Iterator<Item = (f32, u32)>, out: &mut [[u32; 2]]) {
    let mut held = 0;
    out.fill(MISSING);
    let before = |a: (f32, u32), b: [u32; 2]| {
        let value = f32::from_bits(b[0]);
        a.0 > value || (a.0 == value && a.1 < b[1])
    };
    for entry in entries {
        if held == out.len() && out.last().is_none_or(|&last| !before(entry, last)) {
            continue;
        }
        let at = out[..held].partition_point(|&other| !before(entry, other));
        held = (held + 1).min(out.len());
        out[at..held].rotate_right(1);
        out[at] = [entry.0.to_bits(), entry.1];
    }
}
