use crate::base::sort_by_key;

/// What two neighbouring pieces become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Merge {
    /// The lowest rank goes first.
    pub rank: u32,
    /// The id of both pieces as one.
    pub id: u32,
}

/// All merges of a vocabulary, by the id on the left and then by the one on the right.
#[derive(Debug)]
pub(super) struct Merges {
    /// Where the pairs of each left id start, and one more: where those of the last one end.
    starts: Vec<u32>,
    /// The right id of each pair, ascending within a left one.
    rights: Vec<u32>,
    /// The rank of each pair.
    ranks: Vec<u32>,
    /// What the pair of each rank becomes.
    ids: Vec<u32>,
}

impl Merges {
    /// Merges in their order, as `[left, right, becomes]`, of a vocabulary of `V` pieces. Of a pair that comes twice
    /// the last one counts.
    pub fn in_order(list: &[[u32; 3]], vocabulary: u32) -> Self {
        let mut sorted: Vec<usize> = (0..list.len()).collect();
        // Later ones first, so that they are the ones kept.
        sort_by_key(&mut sorted, |&n| (list[n][0], list[n][1], std::cmp::Reverse(n)));
        sorted.dedup_by_key(|n| (list[*n][0], list[*n][1]));
        let mut starts = vec![0; vocabulary as usize + 1];
        for &n in &sorted {
            starts[list[n][0] as usize + 1] += 1;
        }
        for left in 0..vocabulary as usize {
            starts[left + 1] += starts[left];
        }
        Self {
            starts,
            rights: sorted.iter().map(|&n| list[n][1]).collect(),
            ranks: sorted.iter().map(|&n| n as u32).collect(),
            ids: list.iter().map(|merge| merge[2]).collect(),
        }
    }

    /// Merges from their tables: `ids` by rank, and for each left id its `(right, rank)`.
    ///
    /// None if a right id is not above the one before it, or a rank or id is not below its count.
    pub fn from_tables(ids: Vec<u32>, counts: &[u32], rights: Vec<u32>, ranks: Vec<u32>) -> Option<Self> {
        let mut starts = Vec::with_capacity(counts.len() + 1);
        starts.push(0);
        let mut at = 0_u32;
        for &count in counts {
            let pairs = rights.get(at as usize..at.checked_add(count)? as usize)?;
            if !pairs.is_sorted_by(|a, b| a < b) {
                return None;
            }
            at += count;
            starts.push(at);
        }
        let known = |&id: &u32| (id as usize) < counts.len();
        let whole = rights.len() == at as usize && ranks.len() == rights.len();
        let well = rights.iter().all(known) && ids.iter().all(known) && ranks.iter().all(|&r| (r as usize) < ids.len());
        (whole && well).then_some(Self { starts, rights, ranks, ids })
    }

    /// What becomes of a pair.
    pub fn get(&self, left: u32, right: u32) -> Option<Merge> {
        let start = *self.starts.get(left as usize)? as usize;
        let end = *self.starts.get(left as usize + 1)? as usize;
        let rank = self.ranks[start + self.rights[start..end].binary_search(&right).ok()?];
        Some(Merge { rank, id: self.ids[rank as usize] })
    }

    /// What the pair of each rank becomes.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The pairs of each left id, as right ids and their ranks.
    pub fn by_left(&self) -> impl Iterator<Item = impl Iterator<Item = (u32, u32)>> {
        self.starts.windows(2).map(|ends| {
            let pairs = ends[0] as usize..ends[1] as usize;
            self.rights[pairs.clone()].iter().copied().zip(self.ranks[pairs].iter().copied())
        })
    }
}
