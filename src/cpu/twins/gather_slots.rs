//! `gather_slots`: rows of the KV cache from slot to slot.

use crate::cpu::CpuError;
use crate::cpu::call::{Call, size};
use crate::kernels::params::GatherSlotsParams;

/// Slot `s` gets rows `prefix..position` of slot `sequence[s].slot`, if that is another one.
pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let p: GatherSlotsParams = call.params()?;
    let (slots, groups) = (p.slots as usize, p.kv_heads as usize);
    let (capacity, dim) = (p.capacity as usize, p.head_dim as usize);
    let cache = call.write::<f32>(0, size(&[slots, groups, capacity, dim]))?;
    let head = capacity * dim;
    for (slot, source) in call.step.sequences().iter().take(slots).enumerate() {
        let from = source.slot as usize;
        if from == slot {
            continue;
        }
        call.at_most("number of a slot to copy from", from, slots.saturating_sub(1))?;
        let rows = (source.prefix as usize).min(capacity) * dim..(source.position as usize).min(capacity) * dim;
        for g in 0..groups {
            let (from, to) = ((from * groups + g) * head, (slot * groups + g) * head);
            if rows.start < rows.end {
                cache.copy_within(from + rows.start..from + rows.end, to + rows.start);
            }
        }
    }
    Ok(())
}
