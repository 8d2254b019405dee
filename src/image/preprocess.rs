use serde_json::Value;

use super::{Filter, ImageError, Rgb8, resize};

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
        let get = |field: &str| json.and_then(|json| json.get(field)).filter(|value| !value.is_null());
        if let Some(json) = json.filter(|json| !json.is_object()) {
            return Err(bad("(the file)", json, "an object"));
        }
        Rgb8::check_size(image_size, image_size)?;
        check_size(get("size"), image_size)?;
        if !flag("do_resize", get("do_resize"))? {
            return Err(ImageError::Unsupported { field: "do_resize", found: "false".into(), known: "true" });
        }
        let filter = match get("resample").map(|value| (value, value.as_u64())) {
            None | Some((_, Some(3))) => Filter::Bicubic,
            Some((_, Some(2))) => Filter::Bilinear,
            Some((value, _)) => {
                let known = "2 (bilinear) and 3 (bicubic)";
                return Err(ImageError::Unsupported { field: "resample", found: shown(value), known });
            }
        };
        let factor = match get("rescale_factor") {
            _ if !flag("do_rescale", get("do_rescale"))? => 1.0,
            None => 1.0 / 255.0,
            Some(value) => value
                .as_f64()
                .filter(|factor| factor.is_finite() && *factor > 0.0)
                .ok_or_else(|| bad("rescale_factor", value, "a number above 0"))?,
        };
        let (mean, std) = if flag("do_normalize", get("do_normalize"))? {
            let mean = colours("image_mean", get("image_mean"), "three finite numbers", f32::is_finite)?;
            let positive = |std: f32| std.is_finite() && std > 0.0;
            (mean, colours("image_std", get("image_std"), "three numbers above 0", positive)?)
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

fn shown(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > 80 {
        text.truncate(text.floor_char_boundary(80));
        text.push('…');
    }
    text
}

fn bad(field: &'static str, found: &Value, expected: impl Into<String>) -> ImageError {
    ImageError::Config { field, found: shown(found), expected: expected.into() }
}

/// A switch that is on where nothing is said.
fn flag(field: &'static str, value: Option<&Value>) -> Result<bool, ImageError> {
    value.map_or(Ok(true), |value| value.as_bool().ok_or_else(|| bad(field, value, "true or false")))
}

/// `{height, width}` or one number; both must be the tower's.
fn check_size(size: Option<&Value>, expected: usize) -> Result<(), ImageError> {
    let Some(size) = size else { return Ok(()) };
    let fits = |value: Option<&Value>| value.and_then(Value::as_u64) == Some(expected as u64);
    let both = size.is_object() && fits(size.get("height")) && fits(size.get("width"));
    if both || fits(Some(size)) {
        return Ok(());
    }
    Err(bad("size", size, format!("height and width {expected}, the vision tower's image_size")))
}

fn colours(
    field: &'static str,
    value: Option<&Value>,
    expected: &str,
    valid: impl Fn(f32) -> bool,
) -> Result<[f32; 3], ImageError> {
    let Some(value) = value else { return Ok([0.5; 3]) };
    let numbers: Option<Vec<f32>> =
        value.as_array().and_then(|list| list.iter().map(|number| number.as_f64().map(|x| x as f32)).collect());
    let three: Option<[f32; 3]> = numbers.and_then(|numbers| numbers.try_into().ok());
    three.filter(|three| three.iter().all(|number| valid(*number))).ok_or_else(|| bad(field, value, expected))
}
