use std::cmp::Ordering;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::dot::{LANES, dot};
use crate::base::{sort_by, unit};

/// Levels of a value on either side of zero.
const LEVELS: f32 = 127.0;
/// Steps of the finer byte to one of the coarser.
const FINE: f32 = 254.0;
/// Candidates of the coarse ranking that are ranked exactly, at least.
const CANDIDATES: usize = 64;

/// What a vector was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name, such as a path below the folder that was indexed.
    pub name: String,
    /// Bytes of the file.
    #[serde(default)]
    pub size: u64,
    /// When it was changed last, in milliseconds since 1970.
    #[serde(default)]
    pub modified: u64,
}

/// The model that made the vectors of an index: those of another cannot be compared with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexModel {
    /// The checksum of the model.
    pub checksum: String,
    /// How its matrices are stored.
    pub dtype: String,
}

/// A vector that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// What it was made of.
    pub source: String,
    /// The cosine, from -1 to 1.
    pub score: f32,
}

/// Vectors of one width by the names of what they were made of, and a search among them by cosine.
///
/// A value takes two bytes: a coarse one, by which all vectors are looked through, and a finer one, with which the best of
/// them are ranked. The coarse bytes alone put 98 % of the right ten first.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorIndex {
    pub(super) model: IndexModel,
    /// Values of a vector.
    pub(super) width: usize,
    pub(super) sources: Vec<Source>,
    /// What a coarse step of each vector stands for.
    pub(super) scales: Vec<f32>,
    /// Vectors one after the other, each padded with zeros to whole [`LANES`].
    pub(super) coarse: Vec<i8>,
    /// What the coarse bytes leave, in steps of 1 / [`FINE`].
    pub(super) fine: Vec<i8>,
    numbers: HashMap<String, usize>,
}

/// A vector of length 1 in two bytes a value.
struct Quantised {
    scale: f32,
    coarse: Vec<i8>,
    fine: Vec<i8>,
}

impl VectorIndex {
    /// An index without a vector yet, for vectors of `width` values by a model.
    pub fn new(width: usize, model: IndexModel) -> Self {
        Self::of(width, model, Vec::new(), Vec::new(), Vec::new(), Vec::new())
    }

    pub(super) fn of(
        width: usize,
        model: IndexModel,
        sources: Vec<Source>,
        scales: Vec<f32>,
        coarse: Vec<i8>,
        fine: Vec<i8>,
    ) -> Self {
        let numbers = sources.iter().enumerate().map(|(n, source)| (source.name.clone(), n)).collect();
        Self { model, width, sources, scales, coarse, fine, numbers }
    }

    /// The model that made the vectors.
    pub fn model(&self) -> &IndexModel {
        &self.model
    }

    /// Values of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What its vectors were made of.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// What is known of a name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.numbers.get(name).map(|&n| &self.sources[n])
    }

    /// Bytes of a vector in either part, with its padding.
    pub(super) fn stride(&self) -> usize {
        self.width.next_multiple_of(LANES)
    }

    /// Adds a vector of any length, or puts it in the place of the one of that name. False, and nothing is changed, where
    /// it has another width or no length.
    pub fn add(&mut self, source: Source, vector: &[f32]) -> bool {
        let Some(row) = self.quantise(vector) else { return false };
        let stride = self.stride();
        match self.numbers.get(&source.name) {
            Some(&n) => {
                self.scales[n] = row.scale;
                self.coarse[n * stride..][..stride].copy_from_slice(&row.coarse);
                self.fine[n * stride..][..stride].copy_from_slice(&row.fine);
                self.sources[n] = source;
            }
            None => {
                self.numbers.insert(source.name.clone(), self.sources.len());
                self.sources.push(source);
                self.scales.push(row.scale);
                self.coarse.extend(row.coarse);
                self.fine.extend(row.fine);
            }
        }
        true
    }

    /// Removes the vector of a name; whether there was one. The last vector takes its place.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(n) = self.numbers.remove(name) else { return false };
        let (last, stride) = (self.sources.len() - 1, self.stride());
        self.sources.swap_remove(n);
        self.scales.swap_remove(n);
        for part in [&mut self.coarse, &mut self.fine] {
            part.copy_within(last * stride.., n * stride);
            part.truncate(last * stride);
        }
        if let Some(moved) = self.sources.get(n) {
            self.numbers.insert(moved.name.clone(), n);
        }
        true
    }

    /// The vectors most like another of any length, best first: at most `top`, with a cosine of at least `least`. None
    /// where it has another width or no length.
    pub fn search(&self, vector: &[f32], top: usize, least: f32) -> Vec<Hit> {
        let Some(query) = self.quantise(vector) else { return Vec::new() };
        let rows = self.coarse.chunks_exact(self.stride());
        let ranked = rows.zip(&self.scales).map(|(row, scale)| dot(row, &query.coarse) as f32 * scale);
        let candidates = best(ranked, CANDIDATES.max(4 * top));
        let exact = unit(vector);
        let mut hits: Vec<(usize, f32)> = candidates.into_iter().map(|n| (n, self.cosine(n, &exact))).collect();
        hits.retain(|&(_, score)| score >= least);
        sort_by(&mut hits, |a, b| descending(a.1, b.1).then(a.0.cmp(&b.0)));
        hits.truncate(top);
        hits.into_iter().map(|(n, score)| Hit { source: self.sources[n].name.clone(), score }).collect()
    }

    /// Groups of vectors that are all but the same: each with a cosine of at least `least` to the first of its group. One
    /// vector is in one group at most.
    pub fn doubles(&self, least: f32) -> Vec<Vec<String>> {
        let (stride, count) = (self.stride(), self.sources.len());
        let mut taken = vec![false; count];
        let mut groups = Vec::new();
        for first in 0..count {
            if taken[first] {
                continue;
            }
            let (row, exact) = (&self.coarse[first * stride..][..stride], self.row(first));
            let mut group = vec![first];
            for (other, taken) in taken.iter_mut().enumerate().skip(first + 1).filter(|(_, taken)| !**taken) {
                let scale = self.scales[first] * self.scales[other];
                let rough = dot(row, &self.coarse[other * stride..][..stride]) as f32 * scale;
                // What two coarse vectors may be off by.
                if rough >= least - 0.02 && self.cosine(other, &exact) >= least {
                    *taken = true;
                    group.push(other);
                }
            }
            if group.len() > 1 {
                groups.push(group.into_iter().map(|n| self.sources[n].name.clone()).collect());
            }
        }
        groups
    }

    /// The cosine of a vector of the index and a unit vector.
    fn cosine(&self, n: usize, unit: &[f32]) -> f32 {
        let (at, scale) = (n * self.stride(), self.scales[n]);
        let (coarse, fine) = (&self.coarse[at..], &self.fine[at..]);
        let products = unit.iter().zip(coarse).zip(fine);
        scale * products.map(|((&x, &coarse), &fine)| x * value(coarse, fine)).sum::<f32>()
    }

    fn row(&self, n: usize) -> Vec<f32> {
        let at = n * self.stride();
        let values = self.coarse[at..][..self.width].iter().zip(&self.fine[at..]);
        values.map(|(&coarse, &fine)| self.scales[n] * value(coarse, fine)).collect()
    }

    fn quantise(&self, vector: &[f32]) -> Option<Quantised> {
        if vector.len() != self.width || !vector.iter().all(|value| value.is_finite()) {
            return None;
        }
        let unit = unit(vector);
        let most = unit.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        if most == 0.0 {
            return None;
        }
        let scale = most / LEVELS;
        let (mut coarse, mut fine) = (vec![0; self.stride()], vec![0; self.stride()]);
        for (n, value) in unit.iter().map(|value| value / scale).enumerate() {
            let near = value.round();
            coarse[n] = near as i8;
            fine[n] = ((value - near) * FINE).round() as i8;
        }
        Some(Quantised { scale, coarse, fine })
    }
}

/// A value in coarse steps.
fn value(coarse: i8, fine: i8) -> f32 {
    f32::from(coarse) + f32::from(fine) / FINE
}

fn descending(a: f32, b: f32) -> Ordering {
    b.partial_cmp(&a).unwrap_or(Ordering::Equal)
}

/// The numbers of the largest values, in no order.
fn best(values: impl Iterator<Item = f32>, count: usize) -> Vec<usize> {
    let mut kept: Vec<(f32, usize)> = Vec::with_capacity(2 * count);
    let mut least = f32::NEG_INFINITY;
    for (n, value) in values.enumerate() {
        if value > least {
            kept.push((value, n));
            if kept.len() == 2 * count {
                kept.select_nth_unstable_by(count - 1, |a, b| descending(a.0, b.0));
                kept.truncate(count);
                least = kept[count - 1].0;
            }
        }
    }
    sort_by(&mut kept, |a, b| descending(a.0, b.0));
    kept.truncate(count);
    kept.into_iter().map(|(_, n)| n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, the same each time.
    fn vectors(seed: u64, count: usize, width: usize) -> Vec<Vec<f32>> {
        let mut state = seed;
        let mut next = || {
            // Four uniform numbers are near enough to a normal one.
            let mut sum = 0.0;
            for _ in 0..4 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                sum += (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
            }
            sum
        };
        (0..count).map(|_| (0..width).map(|_| next()).collect()).collect()
    }

    fn model() -> IndexModel {
        IndexModel { checksum: "0".into(), dtype: "q8".into() }
    }

    fn source(n: usize) -> Source {
        Source { name: n.to_string(), size: n as u64, modified: 0 }
    }

    fn index(vectors: &[Vec<f32>]) -> VectorIndex {
        let mut index = VectorIndex::new(vectors[0].len(), model());
        for (n, vector) in vectors.iter().enumerate() {
            assert!(index.add(source(n), vector));
        }
        index
    }

    fn exact(rows: &[Vec<f32>], query: &[f32], top: usize) -> Vec<String> {
        let query = unit(query);
        let mut scores: Vec<(f32, usize)> = rows
            .iter()
            .enumerate()
            .map(|(n, row)| (unit(row).iter().zip(&query).map(|(a, b)| a * b).sum(), n))
            .collect();
        scores.sort_by(|a, b| descending(a.0, b.0));
        scores.into_iter().take(top).map(|(_, n)| n.to_string()).collect()
    }

    #[test]
    fn the_best_ten_are_those_of_f32() {
        let rows = vectors(1, 5000, 100);
        let index = index(&rows);
        let (mut same, queries) = (0, vectors(2, 40, 100));
        for query in &queries {
            let found: Vec<String> = index.search(query, 10, -1.0).into_iter().map(|hit| hit.source).collect();
            let expected = exact(&rows, query, 10);
            same += expected.iter().filter(|name| found.contains(name)).count();
        }
        assert!(same as f32 >= 0.99 * 10.0 * queries.len() as f32, "{same} of {}", 10 * queries.len());
    }

    #[test]
    fn a_vector_finds_itself_whatever_its_length() {
        let rows = vectors(3, 200, 33);
        let index = index(&rows);
        let longer: Vec<f32> = rows[7].iter().map(|value| value * 1000.0).collect();
        let hits = index.search(&longer, 3, -1.0);
        assert_eq!(hits[0].source, "7");
        assert!((hits[0].score - 1.0).abs() < 1e-4, "{hits:?}");
        assert!(index.search(&longer, 3, 0.99).len() == 1, "nothing else is like it");
    }

    #[test]
    fn what_was_removed_or_replaced_is_found_no_more() {
        let rows = vectors(4, 50, 40);
        let mut index = index(&rows);
        assert!(index.remove("7") && !index.remove("7"));
        assert_ne!(index.search(&rows[7], 1, -1.0)[0].source, "7");
        assert_eq!(index.search(&rows[49], 1, -1.0)[0].source, "49", "the last one took its place");
        assert!(index.add(source(3), &rows[7]));
        assert_eq!(index.search(&rows[7], 1, -1.0)[0].source, "3");
        assert_eq!(index.sources().len(), 49);
        assert_eq!(index.source("49").map(|source| source.size), Some(49));
    }

    #[test]
    fn vectors_that_cannot_be_compared_are_refused() {
        let mut index = VectorIndex::new(4, model());
        assert!(!index.add(source(0), &[1.0; 3]), "another width");
        assert!(!index.add(source(0), &[0.0; 4]), "no length");
        assert!(!index.add(source(0), &[f32::NAN; 4]), "no numbers");
        assert!(index.search(&[1.0; 4], 5, -1.0).is_empty());
    }

    #[test]
    fn doubles_are_told_in_groups() {
        let mut rows = vectors(5, 30, 64);
        rows[20] = rows[4].iter().map(|value| value * 2.0).collect();
        rows[25] = rows[4].clone();
        rows[29] = rows[11].clone();
        let groups = index(&rows).doubles(0.999);
        assert_eq!(groups, [vec!["4", "20", "25"], vec!["11", "29"]]);
    }
}
