use super::load_ledger::LoadLedger;
use super::pack_weights::{PackWeights, open_pack};
use crate::base::Result;
use crate::format::pack::{Manifest, read_shard};
use crate::graph::WeightTable;

/// Checks the weights of a pack without a device.
pub struct PackCheck(LoadLedger);

impl PackCheck {
    /// What a manifest promises.
    ///
    /// # Errors
    /// A configuration that cannot be run, or that the manifest contradicts.
    pub fn new(manifest: &Manifest) -> Result<Self> {
        let architecture = open_pack(manifest)?;
        let weights = PackWeights::of(architecture.as_ref(), manifest, None)?;
        let table = WeightTable::of(&weights.specs, |spec| weights.dtype(spec), usize::MAX)?;
        Ok(Self(LoadLedger::new(table, Some(weights.places()))))
    }

    /// Looks at one shard.
    ///
    /// # Errors
    /// A file that contradicts itself, the manifest or the order.
    pub fn push(&mut self, file: &str, bytes: &[u8]) -> Result<()> {
        read_shard(file, bytes, &mut |part| self.0.admit(file, &part).map(|_| ()))
    }

    /// Whether everything was there.
    ///
    /// # Errors
    /// A weight that has not come.
    pub fn finish(self) -> Result<()> {
        self.0.complete(|_| true)
    }
}
