use super::ImageError;

/// A picture: rows of red, green and blue bytes, top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb8 {
    width: usize,
    height: usize,
    data: Vec<u8>,
}

impl Rgb8 {
    /// Most pixels on a side.
    pub const MAX_SIDE: usize = 16_384;
    /// Most pixels in all: 200 MB of bytes.
    pub const MAX_PIXELS: usize = 1 << 26;

    /// A picture of `width * height * 3` bytes.
    ///
    /// # Errors
    /// A size out of range, or one that the bytes do not fit.
    pub fn new(width: usize, height: usize, data: Vec<u8>) -> Result<Self, ImageError> {
        Self::check(width, height, 3, data.len())?;
        Ok(Self { width, height, data })
    }

    /// A picture of `width * height * 4` bytes, the fourth being straight alpha: it is laid over white.
    ///
    /// # Errors
    /// A size out of range, or one that the bytes do not fit.
    pub fn from_rgba(width: usize, height: usize, rgba: &[u8]) -> Result<Self, ImageError> {
        Self::check(width, height, 4, rgba.len())?;
        let over_white = |pixel: &[u8]| {
            let alpha = u32::from(pixel[3]);
            let over = |colour: u8| ((u32::from(colour) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
            [over(pixel[0]), over(pixel[1]), over(pixel[2])]
        };
        Ok(Self { width, height, data: rgba.chunks_exact(4).flat_map(over_white).collect() })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The bytes, `[height, width, 3]`.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Fails for a size that no picture may have.
    pub(super) fn check_size(width: usize, height: usize) -> Result<(), ImageError> {
        let side = 1..=Self::MAX_SIDE;
        if side.contains(&width) && side.contains(&height) && width * height <= Self::MAX_PIXELS {
            return Ok(());
        }
        Err(ImageError::Size { width, height })
    }

    fn check(width: usize, height: usize, channels: usize, found: usize) -> Result<(), ImageError> {
        Self::check_size(width, height)?;
        let expected = width * height * channels;
        if found == expected { Ok(()) } else { Err(ImageError::Bytes { width, height, expected, found }) }
    }

    /// For code of this part that keeps to the sizes itself.
    pub(super) fn trusted(width: usize, height: usize, data: Vec<u8>) -> Self {
        debug_assert_eq!(data.len(), width * height * 3);
        Self { width, height, data }
    }
}
