use serde_json::{Map, Value};

use super::{Filter, ImageError, Rgb8, resize};
use crate::base::{Field, FieldError, Fields};

/// How a model wants its pictures: scaled to a square, and each colour shifted and stretched.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocessor {
    size: usize,
    filter: Filter,
    /// What a byte is multiplied by.
    factor: f64,
    mean: [f32; 3],
    std: [f32; 3],
}

impl Preprocessor {
    /// Reads `preprocessor_config.json`; without one, pictures are prepared as `SiglipImageProcessor` does by default.
    ///
    /// `image_size` is the side in pixels that the model's tower takes.
    ///
    /// # Errors
    /// A value that is out of range, contradicts the tower, or asks for what this version cannot do.
    pub fn from_hf(json: Option<&Value>, image_size: usize) -> Result<Self, ImageError> {
        let nothing = Value::Object(Map::default());
        let unsupported = "Use a model whose pictures are prepared as PaliGemma's are.";
        let fields = Fields::of("preprocessor_config.json", json.unwrap_or(&nothing))?.with_remedy(unsupported);
        Rgb8::check_size(image_size, image_size)?;
        check_size(&fields, image_size)?;
        if let Some(resize) = fields.non_null("do_resize")
            && !resize.bool()?
        {
            return Err(resize.unsupported("true").into());
        }
        let filter = match fields.non_null("resample") {
            None => Filter::Bicubic,
            Some(field) => match field.value().as_u64() {
                Some(2) => Filter::Bilinear,
                Some(3) => Filter::Bicubic,
                _ => return Err(field.unsupported("2 (bilinear) or 3 (bicubic)").into()),
            },
        };
        let factor = if flag(&fields, "do_rescale")? {
            fields.optional("rescale_factor", |factor| factor.positive_f64())?.unwrap_or(1.0 / 255.0)
        } else {
            1.0
        };
        let (mean, std) = if flag(&fields, "do_normalize")? {
            (colours(&fields, "image_mean", Field::number)?, colours(&fields, "image_std", Field::positive)?)
        } else {
            ([0.0; 3], [1.0; 3])
        };
        Ok(Self { size: image_size, filter, factor, mean, std })
    }

    /// Side of the square in pixels.
    pub fn size(&self) -> usize {
        self.size
    }

    /// What the tower sees: `[S, S, 3]`, rows of pixels, colours innermost.
    pub fn apply(&self, picture: &Rgb8) -> Vec<f32> {
        // In the order and precision of transformers: product in f64, rounded, then f32.
        let table: [[f32; 256]; 3] = std::array::from_fn(|colour| {
            std::array::from_fn(|byte| {
                let scaled = (byte as f64 * self.factor) as f32;
                (scaled - self.mean[colour]) / self.std[colour]
            })
        });
        let resized = resize(picture, self.size, self.size, self.filter);
        let pixels = resized.data().chunks_exact(3);
        pixels.flat_map(|pixel| [0, 1, 2].map(|colour| table[colour][usize::from(pixel[colour])])).collect()
    }
}

/// A switch that is on where nothing is said.
fn flag(fields: &Fields<'_>, name: &str) -> Result<bool, FieldError> {
    Ok(fields.optional(name, |switch| switch.bool())?.unwrap_or(true))
}

/// `{height, width}` or one number; both must be the tower's.
fn check_size(fields: &Fields<'_>, expected: usize) -> Result<(), FieldError> {
    let Some(size) = fields.non_null("size") else { return Ok(()) };
    let fits = |value: Option<&Value>| value.and_then(Value::as_u64) == Some(expected as u64);
    let both = ["height", "width"].iter().all(|side| fits(size.value().get(side)));
    if both || fits(Some(size.value())) {
        return Ok(());
    }
    Err(size.invalid(format!("height and width {expected}, the vision tower's image_size")))
}

/// A number for each of red, green and blue.
fn colours<'a>(
    fields: &Fields<'a>,
    name: &str,
    read: impl Fn(&Field<'a>) -> Result<f32, FieldError>,
) -> Result<[f32; 3], FieldError> {
    let Some([red, green, blue]) = fields.optional(name, |list| list.list_of())? else { return Ok([0.5; 3]) };
    Ok([read(&red)?, read(&green)?, read(&blue)?])
}
