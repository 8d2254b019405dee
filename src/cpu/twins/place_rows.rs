//! `place_rows`: the picture's features at the rows whose ids ask for them.

use super::PICTURE;
use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::PlaceRowsParams;

/// `out[t] = features[id without its top bit]` where the id has its top bit set; other rows stay as they are.
pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: PlaceRowsParams = call.params()?;
    let (tokens, width) = (call.tokens(p.tokens), p.width as usize);
    let ids = call.read::<u32>(0, tokens)?;
    let features = call.read::<f32>(1, size(&[p.feature_rows as usize, width]))?;
    let out = call.write::<f32>(2, size(&[tokens, width]))?;
    for (&id, out) in ids.iter().zip(out.chunks_exact_mut(width.max(1))) {
        let row = id & !PICTURE;
        if id != row && row < p.feature_rows {
            out.copy_from_slice(&features[row as usize * width..][..width]);
        }
    }
    Ok(())
}
