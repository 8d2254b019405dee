use super::workspace::Lane;

/// Work (multiplications, roughly) below which a second thread costs more than it brings.
const WORTH_A_THREAD: usize = 1 << 17;

/// How many parts to cut `units` of work into, `cost` being the work in all.
pub(super) fn parts(units: usize, cost: usize) -> usize {
    let wanted = (cost / WORTH_A_THREAD).clamp(1, units.max(1));
    #[cfg(feature = "threads")]
    let threads = rayon::current_num_threads();
    #[cfg(not(feature = "threads"))]
    let threads = 1;
    wanted.min(threads)
}

/// Cuts `out` into runs of `per_part` elements and calls `f(number of the part, its run, its lane)`, each on its
/// thread.
///
/// There must be as many lanes as parts.
pub(super) fn each_part<T: Send>(
    out: &mut [T],
    per_part: usize,
    lanes: &mut [Lane],
    f: impl Fn(usize, &mut [T], &mut Lane) + Sync,
) {
    if per_part == 0 || out.is_empty() {
        return;
    }
    debug_assert!(out.len().div_ceil(per_part) <= lanes.len());
    if out.len() <= per_part {
        return f(0, out, &mut lanes[0]);
    }
    #[cfg(feature = "threads")]
    {
        use rayon::prelude::*;
        out.par_chunks_mut(per_part).zip(lanes.par_iter_mut()).enumerate().for_each(|(n, (out, lane))| f(n, out, lane));
    }
    #[cfg(not(feature = "threads"))]
    for (n, (out, lane)) in out.chunks_mut(per_part).zip(lanes).enumerate() {
        f(n, out, lane);
    }
}
