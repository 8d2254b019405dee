use super::load_ledger::LoadLedger;
use super::loader::{pack_specs, stored_dtype};
use crate::base::Result;
use crate::format::pack::{Manifest, read_shard};
use crate::graph::WeightTable;
use crate::models;

/// Checks the weights of a pack without a device.
pub struct PackCheck(LoadLedger);

impl PackCheck {
    /// What a manifest promises.
    ///
    /// # Errors
    /// A configuration that cannot be run.
    pub fn new(manifest: &Manifest) -> Result<Self> {
        let architecture = models::open(&manifest.config)?;
        let specs = pack_specs(architecture.as_ref(), manifest)?;
        let table = WeightTable::of(&specs, |spec| stored_dtype(spec, manifest), usize::MAX)?;
        Ok(Self(LoadLedger::new(table)))
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
