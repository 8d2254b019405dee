use std::str::FromStr;

use super::{BadShape, on_ray};
use crate::ops::has_head_dim;

/// The shape of a vision transformer as SigLIP and SoViT have it: learned positions, biases everywhere, no class row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VitShape {
    /// D.
    pub width: usize,
    /// L, blocks.
    pub depth: usize,
    /// F.
    pub mlp: usize,
    /// H.
    pub heads: usize,
    /// Pixels along one side of a patch.
    pub patch: usize,
    /// Pixels along one side of the picture; those that fill no patch are not read.
    pub pixels: usize,
    /// Whether a head that pools by attention (MAP) follows.
    pub pooled: bool,
}

/// Published shapes: name, width, depth, MLP, heads, patch. The heads of SoViT-150m are not published: 11 of 80 are our
/// choice.
pub const NAMES: [(&str, [usize; 5]); 7] = [
    ("ti", [192, 12, 768, 3, 16]),
    ("s", [384, 12, 1536, 6, 16]),
    ("b", [768, 12, 3072, 12, 16]),
    ("l", [1024, 24, 4096, 16, 16]),
    ("so150m", [880, 18, 2320, 11, 14]),
    ("so400m", [1152, 27, 4304, 16, 14]),
    ("g-opt", [1536, 40, 6144, 16, 16]),
];

/// The patch and the picture of a shape that names none.
const PATCH: usize = 16;
const PIXELS: usize = 224;
/// The width that heads have where nothing says another: SoViT-400m's.
const HEAD: usize = 72;

/// The largest numbers that are taken; costs of these still fit in 64 bits.
const MOST_WIDTH: usize = 1 << 14;
const MOST_DEPTH: usize = 256;
const MOST_MLP: usize = 1 << 17;
const MOST_PATCH: usize = 256;
const MOST_PIXELS: usize = 8192;
const MOST_TOKENS: usize = 1 << 16;

impl VitShape {
    /// N, rows of a picture: its patches.
    pub fn tokens(&self) -> usize {
        let side = self.pixels / self.patch;
        side * side
    }

    /// The shape of a blocks' width, depth and MLP whose heads are about as wide as SoViT's.
    pub(super) fn of_blocks([width, depth, mlp]: [usize; 3], patch: usize) -> Self {
        Self { width, depth, mlp, heads: heads(width), patch, pixels: PIXELS, pooled: true }
    }

    /// Itself, unless it is out of range.
    fn checked(self, text: &str) -> Result<Self, BadShape> {
        let number = |what, found: usize, most: usize, expected: &str| {
            let expected = if expected.is_empty() { format!("1 to {most}") } else { expected.to_owned() };
            let bad = BadShape::Number { shape: text.into(), what, found: found.to_string(), expected };
            if (1..=most).contains(&found) { Ok(()) } else { Err(bad) }
        };
        number("width", self.width, MOST_WIDTH, "")?;
        let rows = if self.width.is_multiple_of(4) && self.heads > 0 { self.width } else { 0 };
        number("width", self.width, rows, "a multiple of 4, so that it can be cut into heads")?;
        number("depth", self.depth, MOST_DEPTH, "")?;
        number("MLP", self.mlp, MOST_MLP, "")?;
        let rows = if self.mlp.is_multiple_of(4) { self.mlp } else { 0 };
        number("MLP", self.mlp, rows, "a multiple of 4")?;
        number("patch", self.patch, MOST_PATCH, "")?;
        number("number of pixels", self.pixels, MOST_PIXELS, "")?;
        number("patch", self.patch, self.pixels, "at most the pixels of the picture's side")?;
        number("number of patches", self.tokens(), MOST_TOKENS, "")?;
        Ok(self)
    }
}

/// The number of heads whose width is nearest to SoViT's, among those that divide the width and that kernels know; of two
/// as near, the wider. 0 where there is none.
fn heads(width: usize) -> usize {
    let widths = (1..=width.min(256)).rev().filter(|&head| has_head_dim(head) && width.is_multiple_of(head));
    widths.min_by_key(|head| head.abs_diff(HEAD)).map_or(0, |head| width / head)
}

impl FromStr for VitShape {
    type Err = BadShape;

    /// Of `WIDTHxDEPTHxMLP[/PATCH][@PIXELS]`, or of a name or a point of the ray instead of the first three.
    fn from_str(text: &str) -> Result<Self, BadShape> {
        let (rest, pixels) = split(text, '@');
        let (blocks, patch) = split(rest, '/');
        let mut shape = blocks_of(text, blocks)?;
        if let Some(patch) = patch {
            shape.patch = number(text, "patch", patch)?;
        }
        if let Some(pixels) = pixels {
            shape.pixels = number(text, "number of pixels", pixels)?;
        }
        shape.checked(text)
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

fn blocks_of(text: &str, blocks: &str) -> Result<VitShape, BadShape> {
    let name = blocks.to_ascii_lowercase();
    if let Some((_, [width, depth, mlp, heads, patch])) = NAMES.into_iter().find(|(known, _)| *known == name) {
        return Ok(VitShape { width, depth, mlp, heads, patch, pixels: PIXELS, pooled: true });
    }
    if let Some(u) = name.strip_prefix("sovit-") {
        return u.parse().ok().and_then(on_ray).ok_or_else(|| BadShape::Number {
            shape: text.into(),
            what: "place on the ray",
            found: u.into(),
            expected: "a number from 0 (the start) to 2; 1 is SoViT-400m".into(),
        });
    }
    match name.split('x').collect::<Vec<_>>()[..] {
        // Anything else with two of that letter is a word.
        [width, depth, mlp]
            if [width, depth, mlp].iter().all(|part| part.starts_with(|c: char| c.is_ascii_digit())) =>
        {
            let blocks = [number(text, "width", width)?, number(text, "depth", depth)?, number(text, "MLP", mlp)?];
            Ok(VitShape::of_blocks(blocks, PATCH))
        }
        _ => Err(BadShape::Unknown(text.into())),
    }
}

fn number(text: &str, what: &'static str, found: &str) -> Result<usize, BadShape> {
    let digits = found.bytes().all(|byte| byte.is_ascii_digit());
    let number = found.parse().ok().filter(|_| digits);
    number.ok_or_else(|| BadShape::Number {
        shape: text.into(),
        what,
        found: format!("{found:?}"),
        expected: "a whole number of a size that there is".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> VitShape {
        text.parse().expect("it is a shape")
    }

    #[test]
    fn shapes_are_read_by_numbers_and_by_name() {
        let so400m = VitShape { width: 1152, depth: 27, mlp: 4304, heads: 16, patch: 14, pixels: 384, pooled: true };
        assert_eq!(shape("1152x27x4304/14@384"), so400m);
        assert_eq!(shape("so400m@384"), so400m);
        assert_eq!(
            (so400m.tokens(), shape("SO400M").pixels, shape("b").patch, shape("b/32").patch),
            (729, 224, 16, 32)
        );
    }

    #[test]
    fn heads_are_about_as_wide_as_those_of_sovit() {
        for (width, heads) in [(1152, 16), (880, 11), (768, 12), (1024, 16), (1280, 16), (896, 14), (64, 1), (4, 1)] {
            assert_eq!(shape(&format!("{width}x2x64")).heads, heads, "{width}");
        }
        // What is published goes before the rule: heads of 96.
        assert_eq!(shape("g-opt").heads, 16);
        assert_eq!(shape("1536x40x6144").heads, 24);
    }

    #[test]
    fn what_is_no_shape_is_told() {
        for (text, part) in [
            ("", "no shape"),
            ("models/b", "no shape"),
            ("1152x27", "no shape"),
            ("1152x27x4304x2", "no shape"),
            ("0x27x4304", "the width is 0, expected 1 to 16384"),
            ("1152x0x4304", "the depth is 0"),
            ("1152x27x0", "the MLP is 0"),
            ("1152x27x4304/0", "the patch is 0"),
            ("1152x27x4304@0", "the number of pixels is 0"),
            ("1152x27x4304/14@7", "at most the pixels"),
            ("1150x27x4304", "a multiple of 4"),
            ("1152x27x4303", "a multiple of 4"),
            ("1152x27x4304/1@8192", "the number of patches is 67108864"),
            ("99999999999999999999x27x4304", "a whole number"),
            ("1152x27x18446744073709551615", "expected 1 to 131072"),
            ("1152x27x4304/14@", "the number of pixels is \"\""),
            ("1152x27x4304/-1", "the patch is \"-1\""),
            ("sovit-x", "from 0"),
            ("sovit-NaN", "from 0"),
            ("sovit-99", "from 0"),
        ] {
            let said = text.parse::<VitShape>().expect_err(text).to_string();
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}
