//! The configuration of big_vision's weights, which come without one: their shapes tell it.

use serde_json::{Value, json};

use super::big_vision::TEXT_HEAD_NAME;
use super::checkpoint::whole;
use crate::base::Result;
use crate::format::{BigVision, FormatError, ModelFiles};

/// The `config.json` of a folder whose weights are big_vision's of a SigLIP; `None` where they are others.
///
/// # Errors
/// A damaged archive, or sizes that no SigLIP has.
pub fn config_of_archive(files: &dyn ModelFiles) -> Result<Option<Value>> {
    if !BigVision::is_of(files, &whole())? {
        return Ok(None);
    }
    let Some(archive) = BigVision::open(files, &whole())? else { return Ok(None) };
    let axis = |letter| archive.extent(letter);
    let naflex = axis('x') > 0;
    let kind = |part: &str| format!("{}_{part}_model", if naflex { "siglip2" } else { "siglip" });
    let mut vision = json!({
        "model_type": kind("vision"),
        "hidden_size": axis('e'),
        "num_hidden_layers": axis('L'),
        "num_attention_heads": axis('a'),
        "intermediate_size": axis('m'),
    });
    if naflex {
        let (patch, positions) = ((axis('x') / 3).isqrt(), axis('y') * axis('z'));
        check(&archive, "a patch's values", axis('x'), patch * patch * 3)?;
        (vision["patch_size"], vision["num_patches"]) = (patch.into(), positions.into());
    } else {
        let (patch, grid) = (axis('p'), axis('t').isqrt());
        check(&archive, "a patch's columns", axis('q'), patch)?;
        check(&archive, "the table of positions", axis('t'), grid * grid)?;
        (vision["patch_size"], vision["image_size"]) = (patch.into(), image_size(grid, patch).into());
    }
    let text = json!({
        "model_type": kind("text"),
        "hidden_size": axis('d'),
        "num_hidden_layers": axis('l'),
        "num_attention_heads": axis('n'),
        "intermediate_size": axis('f'),
        "vocab_size": axis('v'),
        "max_position_embeddings": axis('s'),
        "projection_size": if axis('o') > 0 { axis('o') } else { axis('d') },
        "text_use_head": archive.variant() == Some(TEXT_HEAD_NAME),
    });
    let model_type = if naflex { "siglip2" } else { "siglip" };
    Ok(Some(json!({"model_type": model_type, "vision_config": vision, "text_config": text})))
}

/// Pixels along one side of the pictures. Those of 384 pixels in patches of 14 have a rest that is never read.
fn image_size(grid: usize, patch: usize) -> usize {
    match (grid, patch) {
        (27, 14) => 384,
        _ => grid * patch,
    }
}

fn check(archive: &BigVision, what: &str, found: usize, expected: usize) -> Result<(), FormatError> {
    if found == expected {
        return Ok(());
    }
    Err(FormatError::Weights {
        file: archive.file().into(),
        what: what.into(),
        found: found.to_string(),
        expected: expected.to_string(),
    })
}
