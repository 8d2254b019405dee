use std::ops::Range;

/// How a picture of any shape comes to the shape that a model takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fit {
    /// To a square of so many pixels a side.
    Square {
        /// How it is scaled.
        scale: Scale,
        /// Pixels along one side of what is kept: the middle of the scaled picture.
        side: usize,
        /// Which is the middle where it lies between two pixels.
        middle: Middle,
    },
    /// As large as makes at most so many patches, in its own proportions but for rounding.
    Patches {
        /// Pixels along one side of a patch.
        patch: usize,
        /// Most patches.
        budget: usize,
    },
}

/// How a picture is scaled before its middle is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// To so many pixels along each side, whatever its proportions.
    Both(usize),
    /// To so many pixels along the shorter side, in its own proportions.
    Shorter(usize),
}

/// The first row of a middle that lies half a pixel off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Middle {
    /// The upper one: transformers.
    Upper,
    /// The even one: torchvision, by Python's `round`.
    Even,
}

impl Fit {
    /// The size `[width, height]` that a picture of such a size is scaled to, and the columns and rows that are kept.
    pub fn of(&self, [width, height]: [usize; 2]) -> ([usize; 2], [Range<usize>; 2]) {
        match *self {
            Self::Square { scale, side, middle } => {
                let to = match scale {
                    Scale::Both(side) => [side; 2],
                    Scale::Shorter(side) => {
                        let long = |long: usize, short: usize| (side as f64 * long as f64 / short as f64) as usize;
                        if width <= height { [side, long(height, width)] } else { [long(width, height), side] }
                    }
                };
                (to, to.map(|scaled| middle.of(scaled, side)))
            }
            Self::Patches { patch, budget } => {
                let to = most_patches([width, height], patch, budget);
                (to, to.map(|side| 0..side))
            }
        }
    }
}

impl Middle {
    fn of(self, scaled: usize, side: usize) -> Range<usize> {
        let rest = scaled.saturating_sub(side);
        let first = match self {
            Self::Even if rest % 4 == 3 => rest / 2 + 1,
            Self::Even | Self::Upper => rest / 2,
        };
        first..first + side
    }
}

/// The largest size `[width, height]` in whole patches, of at most `budget` of them, by bisecting the scale.
///
/// Source: transformers, `models/siglip2/image_processing_siglip2.py`, `get_image_size_for_max_num_patches`.
fn most_patches(size: [usize; 2], patch: usize, budget: usize) -> [usize; 2] {
    const NEAR: f64 = 1e-5;
    let scaled = |scale: f64| size.map(|side| ((side as f64 * scale / patch as f64).ceil() as usize).max(1));
    let (mut low, mut high) = (NEAR / 10.0, 100.0);
    while high - low >= NEAR {
        let middle = (low + high) / 2.0;
        let [columns, rows] = scaled(middle);
        if columns.saturating_mul(rows) <= budget { low = middle } else { high = middle }
    }
    scaled(low).map(|patches| patches * patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_any_shape_are_those_of_transformers() {
        for (size, grids) in [
            ([480, 640], [[14, 18], [27, 36], [7, 9], [3, 3]]),
            ([300, 1000], [[9, 28], [17, 57], [4, 14], [2, 4]]),
            ([911, 37], [[74, 3], [148, 6], [32, 2], [9, 1]]),
            ([1080, 1920], [[12, 21], [24, 42], [6, 10], [2, 4]]),
            ([17, 4000], [[1, 236], [2, 471], [1, 64], [1, 9]]),
            ([1, 1], [[7, 7], [7, 7], [7, 7], [3, 3]]),
        ] {
            for (budget, [rows, columns]) in [256, 1024, 64, 9].into_iter().zip(grids) {
                let [height, width] = size;
                let fit = Fit::Patches { patch: 16, budget };
                let expected = [columns * 16, rows * 16];
                assert_eq!(fit.of([width, height]), (expected, expected.map(|side| 0..side)), "{size:?} in {budget}");
            }
        }
    }

    #[test]
    fn a_middle_between_pixels_is_rounded_as_its_library_does() {
        // Python: round(0.5) = 0, round(1.5) = 2, round(2.5) = 2, round(3.5) = 4.
        for (rest, even) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 4)] {
            assert_eq!(Middle::Even.of(10 + rest, 10), even..even + 10);
            assert_eq!(Middle::Upper.of(10 + rest, 10), rest / 2..rest / 2 + 10);
        }
    }

    #[test]
    fn the_longer_side_is_cut_to_whole_pixels() {
        let fit = Fit::Square { scale: Scale::Shorter(50), side: 44, middle: Middle::Even };
        assert_eq!(fit.of([240, 160]), ([75, 50], [16..60, 3..47]));
        assert_eq!(fit.of([37, 911]), ([50, 1231], [3..47, 594..638]));
        assert_eq!(fit.of([1, 1]), ([50, 50], [3..47, 3..47]));
    }
}
