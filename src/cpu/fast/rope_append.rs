//! RoPE with its angles worked out once per pass instead of once per head.

use super::workspace::{Workspace, room};
use crate::cpu::CpuError;
use crate::cpu::call::Call;
use crate::cpu::twins::rope_append::{Rope, angle, bind};

pub(super) fn run(call: &mut Call<'_>, workspace: &mut Workspace) -> Result<(), CpuError> {
    let (op, out) = bind(call)?;
    let Rope { tokens, heads, groups, dim, capacity, theta, qkv, .. } = op;
    let half = dim / 2;
    let (width, q_width) = ((heads + 2 * groups) * dim, heads * dim);
    let table = room(&mut workspace.shared, 2 * half);
    for t in 0..tokens {
        let Some((at, first_group)) = op.place(t) else { continue };
        let (cos, sin) = table.split_at_mut(half);
        for i in 0..half {
            let (s, c) = angle(at as u32, i, dim, theta).sin_cos();
            (cos[i], sin[i]) = (c as f32, s as f32);
        }
        let row = &qkv[t * width..][..width];
        let rotate = |from: &[f32], to: &mut [f32]| {
            let ((a, b), (to_a, to_b)) = (from.split_at(half), to.split_at_mut(half));
            for i in 0..half {
                to_a[i] = a[i] * cos[i] - b[i] * sin[i];
                to_b[i] = b[i] * cos[i] + a[i] * sin[i];
            }
        };
        for h in 0..heads {
            rotate(&row[h * dim..][..dim], &mut out.q[t * q_width + h * dim..][..dim]);
        }
        for g in 0..groups {
            let cached = ((first_group + g) * capacity + at) * dim;
            rotate(&row[(heads + g) * dim..][..dim], &mut out.k_cache[cached..][..dim]);
            out.v_cache[cached..][..dim].copy_from_slice(&row[(heads + groups + g) * dim..][..dim]);
        }
    }
    Ok(())
}
