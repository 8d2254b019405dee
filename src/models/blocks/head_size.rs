use crate::base::{FieldError, Fields};
use crate::ops::{HEAD_DIMS, has_head_dim};

/// The width of an attention head that a field says.
pub(super) fn head_size(fields: &Fields<'_>, name: &str, default: usize) -> Result<usize, FieldError> {
    let width = match fields.get(name) {
        Some(field) => field.usize(0..=usize::MAX).map_err(|_| field.invalid(HEAD_DIMS))?,
        None => default,
    };
    check_head_size(fields, name, width)?;
    Ok(width)
}

/// Fails where there are no kernels for attention heads of a width. `name` is the field that says it, or the formula.
pub(in crate::models) fn check_head_size(fields: &Fields<'_>, name: &str, width: usize) -> Result<(), FieldError> {
    match width {
        0 => Err(fields.invalid(name, width, HEAD_DIMS)),
        width if has_head_dim(width) => Ok(()),
        width => {
            let remedy = format!("Use a checkpoint whose head size is {HEAD_DIMS}.");
            Err(fields.unsupported(name, width, HEAD_DIMS).with_remedy(remedy))
        }
    }
}
