use serde_json::{Map, Value};

use super::fit::{Fit, Middle, Scale};
use super::{Filter, ImageError, Rgb8, resize_part};
use crate::base::{Field, FieldError, Fields};

/// How a model wants its pictures: brought to a shape, and each colour shifted and stretched.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocessor {
    fit: Fit,
    filter: Filter,
    /// What becomes of each byte of red, green and blue.
    table: [[f32; 256]; 3],
}

const FILE: &str = "preprocessor_config.json";
const UNSUPPORTED: &str = "Use a model whose pictures are prepared as SigLIP's or ViT's are.";
/// Most patches of a picture: no side has more pixels than a picture may have.
const MOST_PATCHES: usize = 1 << 12;

impl Preprocessor {
    /// Reads `preprocessor_config.json`; without one, pictures are prepared as `SiglipImageProcessor` does by default.
    ///
    /// `image_size` is the side in pixels that the model's tower takes.
    ///
    /// # Errors
    /// A value that is out of range, contradicts the tower, or asks for what this version cannot do.
    pub fn from_hf(json: Option<&Value>, image_size: usize) -> Result<Self, ImageError> {
        Self::square(json, image_size, Filter::Bicubic)
    }

    /// The same with the filter of a model whose pictures are scaled otherwise where the file names none.
    ///
    /// # Errors
    /// As of [`from_hf`](Self::from_hf).
    pub fn square(json: Option<&Value>, image_size: usize, filter: Filter) -> Result<Self, ImageError> {
        let nothing = Value::Object(Map::default());
        let fields = Fields::of(FILE, json.unwrap_or(&nothing))?.with_remedy(UNSUPPORTED);
        Rgb8::check_size(image_size, image_size)?;
        let scale = match fields.optional("do_center_crop", |switch| switch.bool())? {
            Some(true) => cropped(&fields, image_size)?,
            _ => {
                check_size(&fields, "size", image_size)?;
                Scale::Both(image_size)
            }
        };
        let fit = Fit::Square { scale, side: image_size, middle: Middle::Upper };
        Self::of_fields(&fields, fit, filter)
    }

    /// Reads `preprocessor_config.json` of a model that takes pictures of any shape in patches of so many pixels a side.
    ///
    /// # Errors
    /// As of [`from_hf`](Self::from_hf).
    pub fn patches(json: Option<&Value>, patch: usize, budget: usize) -> Result<Self, ImageError> {
        let nothing = Value::Object(Map::default());
        let fields = Fields::of(FILE, json.unwrap_or(&nothing))?.with_remedy(UNSUPPORTED);
        fields.optional("patch_size", |size| size.usize(patch..=patch))?;
        let found = fields.optional("max_num_patches", |most| most.usize(1..=MOST_PATCHES))?;
        let fit = Fit::Patches { patch, budget: found.unwrap_or(budget) };
        Self::of_fields(&fields, fit, Filter::Bilinear)
    }

    /// Reads timm's `pretrained_cfg` for a tower that takes squares of `image_size` pixels a side.
    ///
    /// # Errors
    /// As of [`from_hf`](Self::from_hf).
    pub fn from_timm(fields: &Fields<'_>, image_size: usize) -> Result<Self, ImageError> {
        Rgb8::check_size(image_size, image_size)?;
        let interpolation = fields.optional("interpolation", |name| name.one_of(&["bicubic", "bilinear"]))?;
        let filter = if interpolation == Some("bilinear") { Filter::Bilinear } else { Filter::Bicubic };
        let part = fields.optional("crop_pct", |part| {
            let found = part.positive_f64()?;
            if found <= 1.0 { Ok(found) } else { Err(part.unsupported("at most 1")) }
        })?;
        let scaled = (image_size as f64 / part.unwrap_or(0.875)).floor() as usize;
        let scale = match fields.optional("crop_mode", |mode| mode.one_of(&["center", "squash"]))? {
            Some("squash") => Scale::Both(scaled),
            _ => Scale::Shorter(scaled),
        };
        let mean = colours(fields, "mean", [0.485, 0.456, 0.406], Field::number)?;
        let std = colours(fields, "std", [0.229, 0.224, 0.225], Field::positive)?;
        let fit = Fit::Square { scale, side: image_size, middle: Middle::Even };
        Ok(Self { fit, filter, table: table(|byte| f32::from(byte) / 255.0, mean, std) })
    }

    /// Filter and colours, as all of Hugging Face's processors have them.
    fn of_fields(fields: &Fields<'_>, fit: Fit, filter: Filter) -> Result<Self, ImageError> {
        if let Some(resize) = fields.non_null("do_resize")
            && !resize.bool()?
        {
            return Err(resize.unsupported("true").into());
        }
        let filter = match fields.non_null("resample") {
            None => filter,
            Some(field) => match field.value().as_u64() {
                Some(2) => Filter::Bilinear,
                Some(3) => Filter::Bicubic,
                _ => return Err(field.unsupported("2 (bilinear) or 3 (bicubic)").into()),
            },
        };
        let factor = if flag(fields, "do_rescale")? {
            fields.optional("rescale_factor", |factor| factor.positive_f64())?.unwrap_or(1.0 / 255.0)
        } else {
            1.0
        };
        let (mean, std) = if flag(fields, "do_normalize")? {
            let half = [0.5; 3];
            (colours(fields, "image_mean", half, Field::number)?, colours(fields, "image_std", half, Field::positive)?)
        } else {
            ([0.0; 3], [1.0; 3])
        };
        // In the precision of transformers: product in f64, rounded, then f32.
        Ok(Self { fit, filter, table: table(|byte| (f64::from(byte) * factor) as f32, mean, std) })
    }

    /// The same for at most so many patches a picture, where pictures may have any size; at least 1.
    #[must_use]
    pub fn with_budget(mut self, most: usize) -> Self {
        if let Fit::Patches { budget, .. } = &mut self.fit {
            *budget = most.clamp(1, MOST_PATCHES);
        }
        self
    }

    /// Height and width in pixels of what becomes of a picture.
    pub fn target(&self, picture: &Rgb8) -> [usize; 2] {
        let (_, [columns, rows]) = self.fit.of([picture.width(), picture.height()]);
        [rows.len(), columns.len()]
    }

    /// What the tower sees: `[height, width, 3]`, rows of pixels, colours innermost.
    pub fn apply(&self, picture: &Rgb8) -> Vec<f32> {
        let (to, part) = self.fit.of([picture.width(), picture.height()]);
        let resized = resize_part(picture, to, part, self.filter);
        let pixels = resized.data().chunks_exact(3);
        pixels.flat_map(|pixel| [0, 1, 2].map(|colour| self.table[colour][usize::from(pixel[colour])])).collect()
    }
}

/// Shifted and stretched colours of every byte; `scaled` is what it stands for before.
fn table(scaled: impl Fn(u8) -> f32, mean: [f32; 3], std: [f32; 3]) -> [[f32; 256]; 3] {
    [0, 1, 2].map(|colour| std::array::from_fn(|byte| (scaled(byte as u8) - mean[colour]) / std[colour]))
}

/// A switch that is on where nothing is said.
fn flag(fields: &Fields<'_>, name: &str) -> Result<bool, FieldError> {
    Ok(fields.optional(name, |switch| switch.bool())?.unwrap_or(true))
}

/// How pictures are scaled whose middle is kept: `crop_size` must be the tower's.
fn cropped(fields: &Fields<'_>, expected: usize) -> Result<Scale, FieldError> {
    check_size(fields, "crop_size", expected)?;
    let Some(size) = fields.non_null("size") else { return Ok(Scale::Both(expected)) };
    let side = |value: Option<&Value>| {
        let side = value.and_then(Value::as_u64).and_then(|side| usize::try_from(side).ok());
        side.filter(|side| (expected..=Rgb8::MAX_SIDE).contains(side))
    };
    let sides = ["height", "width", "shortest_edge"].map(|name| side(size.value().get(name)));
    match (sides, side(Some(size.value()))) {
        ([Some(height), Some(width), None], _) if height == width => Ok(Scale::Both(height)),
        ([None, None, Some(side)], _) => Ok(Scale::Shorter(side)),
        (_, Some(side)) => Ok(Scale::Both(side)),
        _ => Err(size.invalid(format!("equal height and width, or shortest_edge, of at least {expected}"))),
    }
}

/// `{height, width}` or one number; both must be the tower's.
fn check_size(fields: &Fields<'_>, name: &str, expected: usize) -> Result<(), FieldError> {
    let Some(size) = fields.non_null(name) else { return Ok(()) };
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
    default: [f32; 3],
    read: impl Fn(&Field<'a>) -> Result<f32, FieldError>,
) -> Result<[f32; 3], FieldError> {
    let Some([red, green, blue]) = fields.optional(name, |list| list.list_of())? else { return Ok(default) };
    Ok([read(&red)?, read(&green)?, read(&blue)?])
}
