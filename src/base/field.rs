use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::{ErrorKind, FieldError, Fields};

/// The most bytes of a value that an error repeats.
const SHOWN: usize = 80;

/// Where in which file a value stands.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub file: &'a str,
    /// Empty for the whole file.
    pub path: String,
    /// What to do about a valid value that this version does not run.
    pub unsupported: &'static str,
}

impl Place<'_> {
    pub fn child(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.into() } else { format!("{}.{name}", self.path) };
        Self { path, ..self.clone() }
    }

    fn item(&self, index: usize) -> Self {
        Self { path: format!("{}[{index}]", self.path), ..self.clone() }
    }

    pub fn error(&self, kind: ErrorKind, found: String, expected: impl Display) -> FieldError {
        let remedy = match kind {
            ErrorKind::Unsupported => self.unsupported.into(),
            _ => format!("Check that {} is the one that came with this checkpoint.", self.file),
        };
        let place = if self.path.is_empty() { self.file.into() } else { format!("{}: {}", self.file, self.path) };
        FieldError { kind, place, found, expected: expected.to_string(), remedy }
    }
}

/// A value of a model's JSON file, at its place.
#[derive(Debug, Clone)]
pub struct Field<'a> {
    pub(super) place: Place<'a>,
    pub(super) value: &'a Value,
}

impl<'a> Field<'a> {
    /// The value as it stands there.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// An error that says what makes no model.
    pub fn invalid(&self, expected: impl Display) -> FieldError {
        self.place.error(ErrorKind::BadConfig, shown(self.value), expected)
    }

    /// An error that says what this version runs instead of a value that is valid.
    pub fn unsupported(&self, expected: impl Display) -> FieldError {
        self.place.error(ErrorKind::Unsupported, shown(self.value), expected)
    }

    /// A whole number.
    ///
    /// # Errors
    /// Another type, or out of range.
    pub fn usize(&self, range: RangeInclusive<usize>) -> Result<usize, FieldError> {
        let whole = self.value.as_u64().and_then(|found| usize::try_from(found).ok());
        whole.filter(|found| range.contains(found)).ok_or_else(|| self.invalid(whole_number(&range)))
    }

    /// A number.
    ///
    /// # Errors
    /// Another type, or none that an f32 holds.
    pub fn number(&self) -> Result<f32, FieldError> {
        let number = self.value.as_f64().map(|found| found as f32);
        number.filter(|found| found.is_finite()).ok_or_else(|| self.invalid("a number that fits in 32 bits"))
    }

    /// A number above 0.
    ///
    /// # Errors
    /// Another type, not above 0, or none that an f32 holds.
    pub fn positive(&self) -> Result<f32, FieldError> {
        let exact = self.positive_f64()?;
        let rounded = exact as f32;
        if rounded > 0.0 && rounded.is_finite() {
            return Ok(rounded);
        }
        Err(self.invalid("a positive number that fits in 32 bits"))
    }

    /// A number above 0, unrounded.
    ///
    /// # Errors
    /// Another type, or not above 0.
    pub fn positive_f64(&self) -> Result<f64, FieldError> {
        self.value.as_f64().filter(|found| *found > 0.0).ok_or_else(|| self.invalid("a positive number"))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// Another type.
    pub fn bool(&self) -> Result<bool, FieldError> {
        self.value.as_bool().ok_or_else(|| self.invalid("true or false"))
    }

    /// A text.
    ///
    /// # Errors
    /// Another type.
    pub fn string(&self) -> Result<&'a str, FieldError> {
        self.value.as_str().ok_or_else(|| self.invalid("a text"))
    }

    /// One of the texts that this version knows.
    ///
    /// # Errors
    /// Another type or text.
    pub fn one_of(&self, known: &[&str]) -> Result<&'a str, FieldError> {
        let expected = known.join(" or ");
        let found = self.value.as_str().ok_or_else(|| self.invalid(&expected))?;
        if known.contains(&found) { Ok(found) } else { Err(self.unsupported(&expected)) }
    }

    /// The id of a token.
    ///
    /// # Errors
    /// Another type, or no id.
    pub fn id(&self) -> Result<u32, FieldError> {
        let id = self.value.as_u64().and_then(|id| u32::try_from(id).ok());
        id.filter(|id| *id <= MAX_ID).ok_or_else(|| self.invalid("a token's id, a whole number below 2^31"))
    }

    /// The ids of tokens: a list, or one id.
    ///
    /// # Errors
    /// Another type, or an entry that is no id.
    pub fn ids(&self) -> Result<Vec<u32>, FieldError> {
        match self.value {
            Value::Array(_) => self.list()?.iter().map(Self::id).collect(),
            Value::Number(_) => Ok(vec![self.id()?]),
            _ => Err(self.invalid("a token's id or a list of them")),
        }
    }

    /// The entries of a list.
    ///
    /// # Errors
    /// Another type.
    pub fn list(&self) -> Result<Vec<Field<'a>>, FieldError> {
        let entries = self.value.as_array().ok_or_else(|| self.invalid("a list"))?;
        let entries = entries.iter().enumerate();
        Ok(entries.map(|(index, value)| Field { place: self.place.item(index), value }).collect())
    }

    /// The entries of a list of known length.
    ///
    /// # Errors
    /// Another type or length.
    pub fn list_of<const N: usize>(&self) -> Result<[Field<'a>; N], FieldError> {
        let wrong = || self.invalid(format!("a list of {N}"));
        self.list().map_err(|_| wrong())?.try_into().map_err(|_| wrong())
    }

    /// The fields of an object.
    ///
    /// # Errors
    /// Another type.
    pub fn object(&self) -> Result<Fields<'a>, FieldError> {
        let object = self.value.as_object().ok_or_else(|| self.invalid("an object"))?;
        Ok(Fields { place: self.place.clone(), object })
    }
}

/// Ids are 32 bits in every state and kernel; their sign bit is not used.
const MAX_ID: u32 = i32::MAX as u32;

pub(super) fn whole_number(range: &RangeInclusive<usize>) -> String {
    if range.start() == range.end() {
        return range.start().to_string();
    }
    format!("a whole number from {} to {}", range.start(), range.end())
}

/// A value as JSON, cut where it is long.
fn shown(value: &Value) -> String {
    let mut text = value.to_string();
    if text.len() > SHOWN {
        text.truncate(text.floor_char_boundary(SHOWN));
        text.push('…');
    }
    text
}
