use std::sync::Arc;

use super::GpuError;
use super::buffers::{DeviceBuffer, STORAGE};
use super::device::Device;

/// The scratch memory of all plans: one set of buffers, because only one plan plays at a time.
///
/// Every plan binds its largest scratch buffer to slot 0, its next to slot 1 and so on, so a slot is as large as the
/// largest buffer of that rank. Slots change only while a plan is loaded or unloaded; plans then bind again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    slots: Vec<Arc<DeviceBuffer>>,
}

impl Scratch {
    /// Slots that are larger than needed by no more than this stay as they are, in bytes.
    const SLACK: usize = 1 << 20;

    /// The buffer of a rank.
    pub fn slot(&self, rank: usize) -> &DeviceBuffer {
        &self.slots[rank]
    }

    /// Makes slots of at least the wanted sizes; says whether any changed. On an error all stay as they were.
    pub async fn fit(&mut self, device: &Device, wanted: &[usize]) -> Result<bool, GpuError> {
        let mut slots = Vec::with_capacity(wanted.len());
        for (rank, &bytes) in wanted.iter().enumerate() {
            slots.push(match self.fitting(rank, bytes) {
                Some(slot) => slot,
                None => device.create(&format!("scratch {rank}"), bytes, STORAGE, &device.memory.own).await?,
            });
        }
        Ok(self.replace(slots))
    }

    /// Gives back what no plan needs any more; says whether any slot changed.
    pub fn shrink(&mut self, device: &Device, wanted: &[usize]) -> bool {
        let slots = wanted.iter().enumerate().map(|(rank, &bytes)| {
            let make = || device.create_ahead(&format!("scratch {rank}"), bytes, STORAGE, &device.memory.own);
            self.fitting(rank, bytes).unwrap_or_else(make)
        });
        let slots = slots.collect();
        self.replace(slots)
    }

    fn fitting(&self, rank: usize, bytes: usize) -> Option<Arc<DeviceBuffer>> {
        let slot = self.slots.get(rank)?;
        (!slot.is_refused() && slot.bytes >= bytes && slot.bytes - bytes <= Self::SLACK.max(bytes))
            .then(|| slot.clone())
    }

    fn replace(&mut self, slots: Vec<Arc<DeviceBuffer>>) -> bool {
        let kept = self.slots.iter().zip(&slots).filter(|(old, new)| Arc::ptr_eq(old, new)).count();
        let changed = kept < self.slots.len();
        self.slots = slots;
        changed
    }
}

/// The size of each slot that serves all plans: the largest of its rank, given each plan's sizes from large to small.
pub(super) fn slot_sizes<'a>(plans: impl Iterator<Item = &'a [usize]>) -> Vec<usize> {
    let mut slots: Vec<usize> = Vec::new();
    for sizes in plans {
        slots.resize(slots.len().max(sizes.len()), 0);
        slots.iter_mut().zip(sizes).for_each(|(slot, &size)| *slot = size.max(*slot));
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::slot_sizes;

    #[test]
    fn a_slot_is_as_large_as_the_largest_of_its_rank() {
        let plans: [&[usize]; 3] = [&[100, 40], &[80, 60, 8], &[]];
        assert_eq!(slot_sizes(plans.into_iter()), [100, 60, 8]);
        assert!(slot_sizes(std::iter::empty()).is_empty());
    }
}
