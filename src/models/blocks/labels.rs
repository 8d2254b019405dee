use crate::base::{Field, FieldError, Fields};
use crate::models::Labels;

/// Most labels that a head may have.
const MOST: usize = 1 << 20;

/// What the head of a Hugging Face classifier tells apart: `id2label`, or `num_labels` of them without names.
///
/// # Errors
/// Labels that are not numbered from 0, or no texts.
pub fn labels_of(fields: &Fields<'_>) -> Result<Labels, FieldError> {
    let names = match fields.non_null("id2label") {
        Some(field) => numbered(&field)?,
        None => {
            let count = fields.usize("num_labels", 2, 1..=MOST)?;
            (0..count).map(|n| format!("LABEL_{n}")).collect()
        }
    };
    let kinds = ["regression", "single_label_classification", "multi_label_classification"];
    let kind = fields.optional("problem_type", |kind| kind.one_of(&kinds[1..]))?;
    Ok(Labels { names, multi_label: kind == Some(kinds[2]) })
}

/// Names in a list, or in an object by their numbers.
///
/// # Errors
/// Another type, or numbers that are not those from 0 on.
pub fn listed_labels(field: &Field<'_>) -> Result<Vec<String>, FieldError> {
    match field.value().is_array() {
        true => field.list()?.iter().map(|name| Ok(name.string()?.to_owned())).collect(),
        false => numbered(field),
    }
}

fn numbered(field: &Field<'_>) -> Result<Vec<String>, FieldError> {
    let fields = field.object()?;
    let count = field.value().as_object().map_or(0, serde_json::Map::len);
    if count == 0 {
        return Err(field.invalid("at least one label"));
    }
    (0..count).map(|n| Ok(fields.required(&n.to_string(), "the name of a label")?.string()?.to_owned())).collect()
}
