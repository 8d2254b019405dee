use std::collections::HashMap;
use std::ops::Range;

use super::SessionError;
use crate::base::Result;
use crate::format::FormatError;
use crate::format::pack::PackedRows;
use crate::graph::{WeightLayout, WeightTable};
use crate::quant::layout;

/// Keeps the book of the rows that have come of each weight: every row once, in order, as the model expects it.
pub(super) struct LoadLedger {
    table: WeightTable,
    rows: Vec<usize>,
    /// The numbers of the weights that each file may bring, where they come from several.
    places: Option<HashMap<String, Range<usize>>>,
}

impl LoadLedger {
    /// Nothing has come yet.
    pub fn new(table: WeightTable, places: Option<HashMap<String, Range<usize>>>) -> Self {
        let rows = vec![0; table.layouts().len()];
        Self { table, rows, places }
    }

    /// The number of the weight whose next rows these are.
    ///
    /// # Errors
    /// No such weight, one that belongs in another file, another dtype or size than expected, rows that are not the next.
    pub fn admit(&mut self, file: &str, part: &PackedRows<'_>) -> Result<usize> {
        let fault = |what: &str, found: String, expected: String| {
            let what = format!("{what} of {}", part.weight);
            FormatError::Weights { file: file.into(), what, found, expected }
        };
        let Some(index) = self.table.find(part.weight) else {
            let expected = "nowhere: the model has no such weight".into();
            return Err(fault("the place", "in this file".into(), expected).into());
        };
        if let Some(places) = &self.places
            && !places.get(file).is_some_and(|numbers| numbers.contains(&index))
        {
            let expected = "a shard of the part that it belongs to".into();
            return Err(fault("the place", "in this file".into(), expected).into());
        }
        let weight = &self.table.layouts()[index];
        if part.dtype != weight.dtype {
            return Err(fault("the dtype", part.dtype.name().into(), weight.dtype.name().into()).into());
        }
        let (next, left) = (self.rows[index], weight.rows - self.rows[index]);
        // Only the last rows may be an odd number: scales of two rows fill whole words.
        let whole = part.rows == left || part.rows < left && part.rows.is_multiple_of(2);
        if part.first_row != next || !whole {
            let found = format!("{} from {} on", part.rows, part.first_row);
            return Err(fault("the rows", found, format!("{left} or an even number less, from {next} on")).into());
        }
        let layout = layout(weight.dtype, weight.k);
        let sizes = [layout.data_bytes(part.rows), layout.row_scales * part.rows * 2];
        if [part.data.len(), part.scales.len()] != sizes {
            let found = format!("{} and {} of scales", part.data.len(), part.scales.len());
            return Err(fault("the bytes", found, format!("{} and {} of scales", sizes[0], sizes[1])).into());
        }
        self.rows[index] += part.rows;
        Ok(index)
    }

    /// Layouts of all weights, in the order of the table.
    pub fn weights(&self) -> &[WeightLayout] {
        self.table.layouts()
    }

    /// Fails unless all rows of the weights that `among` names have come.
    pub fn complete(&self, among: impl Fn(&str) -> bool) -> Result<()> {
        let mut counts = self.table.layouts().iter().zip(&self.rows).filter(|(weight, _)| among(&weight.name));
        match counts.find(|(weight, rows)| **rows < weight.rows) {
            Some((weight, &rows)) => {
                Err(SessionError::Incomplete { name: weight.name.clone(), rows, expected: weight.rows }.into())
            }
            None => Ok(()),
        }
    }
}
