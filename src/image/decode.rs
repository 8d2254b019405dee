use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use super::{ImageError, Rgb8};

/// Decodes a PNG, JPEG, WebP, GIF (its first frame) or BMP file: turned as its EXIF orientation says, alpha over white.
///
/// `name` is used in errors.
///
/// # Errors
/// Bytes that are no such file, a damaged one, or a size out of range; nothing is allocated for what a header claims
/// before its size is checked.
pub fn decode(bytes: &[u8], name: &str) -> Result<Rgb8, ImageError> {
    let unreadable = |reason: String| ImageError::Unreadable { name: name.into(), bytes: bytes.len(), reason };
    if bytes.is_empty() {
        return Err(unreadable("the file is empty".into()));
    }
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| unreadable(e.to_string()))?;
    if reader.format().is_none() {
        return Err(unreadable("its first bytes are not those of a PNG, JPEG, WebP, GIF or BMP file".into()));
    }
    let mut decoder = reader.into_decoder().map_err(|error| unreadable(error.to_string()))?;
    let (width, height) = decoder.dimensions();
    Rgb8::check_size(width as usize, height as usize)?;
    let mut limits = Limits::default();
    // The pixels as they are stored may take up to 8 bytes, and a decoder needs room of its own.
    limits.max_alloc = Some(Rgb8::MAX_PIXELS as u64 * 16);
    decoder.set_limits(limits).map_err(|error| unreadable(error.to_string()))?;
    let orientation = decoder.orientation().map_err(|error| unreadable(error.to_string()))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| unreadable(error.to_string()))?;
    picture.apply_orientation(orientation);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if picture.color().has_alpha() {
        Rgb8::from_rgba(width, height, &picture.into_rgba8())
    } else {
        Rgb8::new(width, height, picture.into_rgb8().into_raw())
    }
}
