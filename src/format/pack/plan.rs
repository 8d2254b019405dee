use std::ops::Range;

use crate::quant::layout;
use crate::tensor::Dtype;

/// A weight as a pack stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWeight {
    /// Its name in the runtime.
    pub name: String,
    /// N.
    pub rows: usize,
    /// K.
    pub k: usize,
    /// How it is stored.
    pub dtype: Dtype,
}

impl StoredWeight {
    /// Bytes of so many rows.
    pub fn bytes(&self, rows: usize) -> usize {
        let layout = layout(self.dtype, self.k);
        layout.data_bytes(rows) + layout.row_scales * rows * 2
    }
}

/// Rows of a weight in one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Number of the weight.
    pub weight: usize,
    /// Its rows.
    pub rows: Range<usize>,
}

/// Lays some of the weights out in shards of at most `shard_bytes` where that is possible: only what is larger than a
/// shard is split, at even rows. No weights make no shard.
pub fn shards(weights: &[StoredWeight], among: Range<usize>, shard_bytes: usize) -> Vec<Vec<Part>> {
    let mut shards = Vec::new();
    let mut held = 0;
    for (weight, stored) in weights.iter().enumerate().take(among.end).skip(among.start) {
        let mut first = 0;
        while first < stored.rows {
            let left = stored.rows - first;
            let room = shard_bytes.saturating_sub(held);
            let fit = if stored.bytes(left) <= room { left } else { room / stored.bytes(2).max(1) * 2 };
            let splits = stored.bytes(left) > shard_bytes;
            let rows = match (fit == left || splits && fit > 0, held > 0) {
                (true, _) => fit,
                (false, false) => left.min(2),
                (false, true) => {
                    shards.push(Vec::new());
                    held = 0;
                    continue;
                }
            };
            held += stored.bytes(rows);
            let part = Part { weight, rows: first..first + rows };
            match shards.last_mut() {
                Some(shard) => shard.push(part),
                None => shards.push(vec![part]),
            }
            first += rows;
        }
    }
    shards
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(name: &str, rows: usize, k: usize) -> StoredWeight {
        StoredWeight { name: name.into(), rows, k, dtype: Dtype::F32 }
    }

    fn parts(weights: &[StoredWeight], bytes: usize) -> Vec<Vec<(usize, Range<usize>)>> {
        let pairs = |parts: Vec<Part>| parts.into_iter().map(|part| (part.weight, part.rows)).collect();
        shards(weights, 0..weights.len(), bytes).into_iter().map(pairs).collect()
    }

    #[test]
    fn only_what_is_larger_than_a_shard_is_split() {
        // 16 bytes a row.
        let weights = [weight("a", 3, 4), weight("b", 3, 4), weight("c", 9, 4), weight("d", 1, 4)];
        let expected = [
            vec![(0, 0..3)],
            vec![(1, 0..3)],
            vec![(2, 0..4)],
            vec![(2, 4..8)],
            // What is left of a table shares its shard.
            vec![(2, 8..9), (3, 0..1)],
        ];
        assert_eq!(parts(&weights, 64), expected);
    }

    #[test]
    fn some_weights_are_laid_out_by_themselves() {
        let weights = [weight("a", 3, 4), weight("b", 1, 4), weight("c", 1, 4)];
        let one = |weight, rows| vec![Part { weight, rows: 0..rows }];
        assert_eq!(shards(&weights, 0..1, 64), [one(0, 3)]);
        assert_eq!(shards(&weights, 1..3, 64), [[one(1, 1), one(2, 1)].concat()]);
        assert_eq!(shards(&weights, 1..1, 64), Vec::<Vec<Part>>::new());
    }

    #[test]
    fn rows_larger_than_a_shard_come_two_by_two() {
        assert_eq!(parts(&[weight("a", 5, 64)], 16), [[(0, 0..2)], [(0, 2..4)], [(0, 4..5)]]);
    }
}
