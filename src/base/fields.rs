use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::field::{Place, whole_number};
use super::{ErrorKind, Field, FieldError};

/// The fields of an object in a model's JSON file. Each is read as one type and within bounds, so that every error
/// names file and field; what is absent has the default that the caller says, and a field without one must be there.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    pub(super) place: Place<'a>,
    pub(super) object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// Of a whole file.
    ///
    /// # Errors
    /// No object.
    pub fn of(file: &'a str, json: &'a Value) -> Result<Self, FieldError> {
        let unsupported = "Use a checkpoint that this version runs.";
        Field { place: Place { file, path: String::new(), unsupported }, value: json }.object()
    }

    /// The same with what the user can do about a valid value that this version does not run.
    #[must_use]
    pub fn with_remedy(self, unsupported: &'static str) -> Self {
        Self { place: Place { unsupported, ..self.place }, ..self }
    }

    /// A field, unless it is absent. `null` is a value.
    pub fn get(&self, name: &str) -> Option<Field<'a>> {
        self.object.get(name).map(|value| Field { place: self.place.child(name), value })
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// Its absence.
    pub fn required(&self, name: &str, expected: impl Display) -> Result<Field<'a>, FieldError> {
        self.get(name).ok_or_else(|| self.missing(name, expected))
    }

    /// A field for which `null` is as good as absence.
    pub fn non_null(&self, name: &str) -> Option<Field<'a>> {
        self.get(name).filter(|field| !field.value.is_null())
    }

    /// What `read` makes of a field, unless it is absent or `null`.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(Field<'a>) -> Result<T, FieldError>,
    ) -> Result<Option<T>, FieldError> {
        self.non_null(name).map(read).transpose()
    }

    /// What `read` makes of a field for which `null` means that there is none, and absence means `default`.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn nullable<T>(
        &self,
        name: &str,
        default: Option<T>,
        read: impl FnOnce(Field<'a>) -> Result<T, FieldError>,
    ) -> Result<Option<T>, FieldError> {
        match self.get(name) {
            None => Ok(default),
            Some(field) if field.value.is_null() => Ok(None),
            Some(field) => read(field).map(Some),
        }
    }

    /// An object that must be there.
    ///
    /// # Errors
    /// Its absence, or another type.
    pub fn object(&self, name: &str) -> Result<Self, FieldError> {
        self.required(name, "an object")?.object()
    }

    /// A whole number. The default is held to the range as well, which may stem from other fields.
    ///
    /// # Errors
    /// Absence without a default, another type, or out of range.
    pub fn usize(
        &self,
        name: &str,
        default: impl Into<Option<usize>>,
        range: RangeInclusive<usize>,
    ) -> Result<usize, FieldError> {
        match (self.get(name), default.into()) {
            (Some(field), _) => field.usize(range),
            (None, Some(default)) if range.contains(&default) => Ok(default),
            (None, Some(default)) => Err(self.bad_default(name, default, whole_number(&range))),
            (None, None) => Err(self.missing(name, whole_number(&range))),
        }
    }

    /// A whole number that divides another one; so does its default.
    ///
    /// # Errors
    /// Absence without a default, another type, or no divisor.
    pub fn divisor(&self, name: &str, default: impl Into<Option<usize>>, whole: usize) -> Result<usize, FieldError> {
        let divides = |found: &usize| *found > 0 && whole.is_multiple_of(*found);
        let expected = || format!("a divisor of {whole}");
        match (self.get(name), default.into()) {
            (Some(field), _) => {
                let found = field.value.as_u64().and_then(|found| usize::try_from(found).ok());
                found.filter(divides).ok_or_else(|| field.invalid(expected()))
            }
            (None, Some(default)) if divides(&default) => Ok(default),
            (None, Some(default)) => Err(self.bad_default(name, default, expected())),
            (None, None) => Err(self.missing(name, expected())),
        }
    }

    /// A number above 0.
    ///
    /// # Errors
    /// Absence without a default, another type, not above 0, or none that an f32 holds.
    pub fn positive(&self, name: &str, default: impl Into<Option<f32>>) -> Result<f32, FieldError> {
        self.or(name, default.into(), "a positive number", |field| field.positive())
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// Absence without a default, or another type.
    pub fn bool(&self, name: &str, default: impl Into<Option<bool>>) -> Result<bool, FieldError> {
        self.or(name, default.into(), "true or false", |field| field.bool())
    }

    /// One of the texts that this version knows.
    ///
    /// # Errors
    /// Absence without a default, another type or text.
    pub fn one_of(
        &self,
        name: &str,
        default: impl Into<Option<&'a str>>,
        known: &[&str],
    ) -> Result<&'a str, FieldError> {
        self.or(name, default.into(), &known.join(" or "), |field| field.one_of(known))
    }

    /// Fails on the first field of another name.
    ///
    /// # Errors
    /// A field that would be ignored.
    pub fn only(&self, known: &[&str]) -> Result<(), FieldError> {
        match self.object.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, value)) => {
                let expected = format!("no field but {}", known.join(", "));
                Err(Field { place: self.place.child(name), value }.unsupported(expected))
            }
        }
    }

    /// An error about what follows from fields, such as the quotient of two: what makes no model.
    pub fn invalid(&self, name: &str, found: impl Display, expected: impl Display) -> FieldError {
        self.place.child(name).error(ErrorKind::BadConfig, found.to_string(), expected)
    }

    /// An error about what follows from fields: what is valid and not run by this version.
    pub fn unsupported(&self, name: &str, found: impl Display, expected: impl Display) -> FieldError {
        self.place.child(name).error(ErrorKind::Unsupported, found.to_string(), expected)
    }

    fn or<T>(
        &self,
        name: &str,
        default: Option<T>,
        expected: &str,
        read: impl FnOnce(Field<'a>) -> Result<T, FieldError>,
    ) -> Result<T, FieldError> {
        match self.get(name) {
            Some(field) => read(field),
            None => default.ok_or_else(|| self.missing(name, expected)),
        }
    }

    fn missing(&self, name: &str, expected: impl Display) -> FieldError {
        self.invalid(name, "missing", expected)
    }

    fn bad_default(&self, name: &str, default: usize, expected: impl Display) -> FieldError {
        self.invalid(name, format!("missing, which means {default}"), expected)
    }
}
