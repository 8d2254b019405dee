use std::ops::Range;

/// An axis of a stored array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Its extent.
    pub extent: usize,
    /// Elements from one place on it to the next.
    pub stride: usize,
}

/// Where the elements of a matrix `[rows, columns]` lie in an array that is not stored row by row. Rows and columns are
/// axes of the array, several as one, the last running fastest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strided {
    rows: Vec<Axis>,
    columns: Vec<Axis>,
}

/// Rows that are gathered together: neighbours in the array mostly, so that each line of memory is fetched once.
const TILE: usize = 16;

impl Strided {
    /// `None` where the matrix lies row by row after all.
    pub fn new(rows: Vec<Axis>, columns: Vec<Axis>) -> Option<Self> {
        let mut next = 1;
        let in_order = rows.iter().chain(&columns).rev().all(|axis| {
            let fits = axis.stride == next || axis.extent == 1;
            next *= axis.extent;
            fits
        });
        (!in_order).then_some(Self { rows, columns })
    }

    /// Where element `n` of the matrix, counted row by row, lies in the array, in elements.
    pub fn element(&self, n: usize) -> usize {
        let width: usize = self.columns.iter().map(|axis| axis.extent).product();
        place(&self.rows, n / width) + place(&self.columns, n % width)
    }

    /// The elements of some rows, each of `W` bytes, row by row.
    pub fn gather<const W: usize>(&self, array: &[u8], rows: Range<usize>) -> Vec<u8> {
        let (elements, _) = array.as_chunks::<W>();
        let width: usize = self.columns.iter().map(|axis| axis.extent).product();
        let columns: Vec<usize> = (0..width).map(|n| place(&self.columns, n)).collect();
        let rows: Vec<usize> = rows.map(|n| place(&self.rows, n)).collect();
        let mut out = vec![[0; W]; rows.len() * width];
        for (out, rows) in out.chunks_mut(TILE * width.max(1)).zip(rows.chunks(TILE)) {
            for (k, column) in columns.iter().enumerate() {
                for (n, row) in rows.iter().enumerate() {
                    out[n * width + k] = elements[row + column];
                }
            }
        }
        out.into_flattened()
    }
}

/// Elements from the first to number `n` of several axes taken as one.
fn place(axes: &[Axis], mut n: usize) -> usize {
    let mut at = 0;
    for axis in axes.iter().rev() {
        at += n % axis.extent * axis.stride;
        n /= axis.extent;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(extent: usize, stride: usize) -> Axis {
        Axis { extent, stride }
    }

    #[test]
    fn what_lies_in_order_needs_no_gathering() {
        assert_eq!(Strided::new(vec![axis(5, 6)], vec![axis(2, 3), axis(3, 1)]), None);
        assert_eq!(Strided::new(vec![axis(5, 1)], vec![]), None);
        assert_eq!(Strided::new(vec![axis(1, 7)], vec![axis(3, 1)]), None);
        assert!(Strided::new(vec![axis(5, 1)], vec![axis(6, 5)]).is_some());
    }

    #[test]
    fn axes_are_permuted_and_joined() {
        // An array [2, 3, 40]: rows are its last axis, columns its first two.
        let array: Vec<u8> = (0..240u16).flat_map(u16::to_le_bytes).collect();
        let matrix = Strided::new(vec![axis(40, 1)], vec![axis(2, 120), axis(3, 40)]).expect("it is out of order");
        let found = matrix.gather::<2>(&array, 1..40);
        let expected: Vec<u8> = (1..40u16).flat_map(|n| (0..6).flat_map(move |k| (k * 40 + n).to_le_bytes())).collect();
        assert_eq!(found, expected);
        let (elements, _) = array.as_chunks::<2>();
        let one_by_one: Vec<u8> = (6..240).flat_map(|n| elements[matrix.element(n)]).collect();
        assert_eq!(one_by_one, expected);
    }
}
