//! What was found, drawn over the picture: a tint for each mask, a frame for each box, a name on it.

use std::io::{self, Cursor};

use font8x8::{BASIC_FONTS, UnicodeFonts};
use image::{ImageFormat, Rgb, RgbImage};
use ocelli::tasks::{Object, Rgb8};

/// Colours that are told apart on most pictures and by most eyes: Okabe and Ito's, without black.
const COLOURS: [[u8; 3]; 7] =
    [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167]];
/// How much of a mask's pixel is its colour.
const TINT: f32 = 0.5;

/// A PNG of the picture with objects drawn over it.
pub fn png(picture: &Rgb8, objects: &[Object]) -> io::Result<Vec<u8>> {
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    let mut canvas = RgbImage::from_raw(width, height, picture.data().to_vec())
        .ok_or_else(|| io::Error::other("the picture has too few bytes"))?;
    let colours = || COLOURS.into_iter().cycle();
    for (object, colour) in objects.iter().zip(colours()) {
        tint(&mut canvas, object, colour);
    }
    // Lines and letters grow with the picture, so that they stay readable when it is shown as a whole.
    let unit = (width.max(height) / 320).max(1);
    for (object, colour) in objects.iter().zip(colours()) {
        frame(&mut canvas, object, colour, unit);
    }
    for (object, colour) in objects.iter().zip(colours()) {
        name(&mut canvas, object, colour, unit);
    }
    let mut png = Cursor::new(Vec::new());
    canvas.write_to(&mut png, ImageFormat::Png).map_err(io::Error::other)?;
    Ok(png.into_inner())
}

fn tint(canvas: &mut RgbImage, object: &Object, colour: [u8; 3]) {
    let Some(mask) = &object.mask else { return };
    for (at, &alpha) in mask.alpha.iter().enumerate() {
        let (x, y) = (mask.left + at % mask.width, mask.top + at / mask.width);
        let share = f32::from(alpha) / 255.0 * TINT;
        let Some(pixel) = canvas.get_pixel_mut_checked(x as u32, y as u32) else { continue };
        for (value, own) in pixel.0.iter_mut().zip(colour) {
            *value = (f32::from(*value) * (1.0 - share) + f32::from(own) * share).round() as u8;
        }
    }
}

fn frame(canvas: &mut RgbImage, object: &Object, colour: [u8; 3], unit: u32) {
    let [left, top, right, bottom] = edges(object, canvas);
    let line = 2 * unit;
    for (x0, y0, x1, y1) in [
        (left, top, right, top + line),
        (left, bottom.saturating_sub(line).max(top), right, bottom),
        (left, top, left + line, bottom),
        (right.saturating_sub(line).max(left), top, right, bottom),
    ] {
        fill(canvas, [x0, y0, x1.min(right), y1.min(bottom)], colour);
    }
}

/// Label and score on the colour of the box, above it where there is room.
fn name(canvas: &mut RgbImage, object: &Object, colour: [u8; 3], unit: u32) {
    let [left, top, ..] = edges(object, canvas);
    let text = format!("{} {:.2}", object.label, object.score);
    let (width, height) = (text.chars().count() as u32 * 8 * unit + 2 * unit, 10 * unit);
    let x = left.min(canvas.width().saturating_sub(width));
    let y = top.saturating_sub(height);
    fill(canvas, [x, y, x + width, y + height], colour);
    let [r, g, b] = colour.map(u32::from);
    let ink = if 299 * r + 587 * g + 114 * b > 128_000 { [0; 3] } else { [255; 3] };
    for (n, letter) in text.chars().enumerate() {
        let glyph = BASIC_FONTS.get(letter).or_else(|| BASIC_FONTS.get('?')).unwrap_or_default();
        for (row, bits) in glyph.into_iter().enumerate() {
            for column in (0..8).filter(|column| bits >> column & 1 == 1) {
                let dot = [x + unit * (1 + 8 * n as u32 + column), y + unit * (1 + row as u32)];
                fill(canvas, [dot[0], dot[1], dot[0] + unit, dot[1] + unit], ink);
            }
        }
    }
}

/// The box in whole pixels: left, top, right, bottom.
fn edges(object: &Object, canvas: &RgbImage) -> [u32; 4] {
    let b = &object.bounds;
    let whole = |edge: f32, side: u32| (edge.round() as u32).min(side);
    let (width, height) = canvas.dimensions();
    [whole(b.xmin, width), whole(b.ymin, height), whole(b.xmax, width), whole(b.ymax, height)]
}

fn fill(canvas: &mut RgbImage, [x0, y0, x1, y1]: [u32; 4], colour: [u8; 3]) {
    for y in y0..y1.min(canvas.height()) {
        for x in x0..x1.min(canvas.width()) {
            canvas.put_pixel(x, y, Rgb(colour));
        }
    }
}
