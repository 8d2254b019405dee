//! The configuration of a model whose files come without one.

use serde::Deserialize;
use serde_json::Value;

use super::big_vision::GEMMA2_NAME;
use super::checkpoint::CHECKPOINT;
use super::preset::{Preset, Sizes, SpecialTokens};
use crate::base::{ErrorKind, LayerError, Remedy, Result, Setting};
use crate::format::{BigVision, FormatError, ModelFiles, read_json};
use crate::text::JSON;

/// big_vision's weights that do not say enough, or say otherwise.
#[derive(Debug, thiserror::Error)]
enum PresetError {
    #[error(
        "{file} is a Gemma 2 of {width}, {layers} layers and {heads} heads of {head_dim}, which is none that was published"
    )]
    Unknown { file: String, width: usize, layers: usize, heads: usize, head_dim: usize },
    #[error("{file} is a {found}, and {} was asked for", .wanted.name())]
    Other { file: String, found: &'static str, wanted: Preset },
    #[error("{file} has a table of {0} positions, which is no square", .tokens)]
    Grid { file: String, tokens: usize },
    #[error("{file} has patches of {rows} rows and {columns} columns of {channels} channels")]
    Patch { file: String, rows: usize, columns: usize, channels: usize },
    #[error("tokenizer.json has no token {0}")]
    NoToken(&'static str),
    #[error("a preset is for big_vision's weights without a config.json, and {place} has one")]
    NotNeeded { place: String },
}

impl LayerError for PresetError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown { .. } | Self::Other { .. } | Self::NotNeeded { .. } => ErrorKind::BadArgument,
            Self::Grid { .. } | Self::Patch { .. } => ErrorKind::Unsupported,
            Self::NoToken(_) => ErrorKind::BadTokenizer,
        }
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::Unknown { .. } => {
                return Remedy::of([
                    "Convert it with ".into(),
                    Setting::Preset.into(),
                    ", or put a config.json beside it.".into(),
                ]);
            }
            Self::Other { .. } | Self::NotNeeded { .. } => "Leave the preset out, or name the right one.",
            Self::Grid { .. } | Self::Patch { .. } => "Use the weights of a PaliGemma as big_vision publishes them.",
            Self::NoToken(_) => "Use the tokenizer.json of a PaliGemma of Hugging Face's.",
        }
        .into()
    }
}

/// The `config.json` of a model. For big_vision's weights without one: their sizes, the tokenizer's ids, and a preset
/// for the rest, the given one or that of the published model of these sizes; it is returned, too.
///
/// # Errors
/// No `config.json` and no such weights, sizes that no preset has, a preset that does not fit.
pub fn config_json(files: &dyn ModelFiles, preset: Option<Preset>) -> Result<(Value, Option<Preset>)> {
    let archive = match files.get("config.json") {
        Some(_) => None,
        None => BigVision::open(files, &CHECKPOINT)?,
    };
    let Some(archive) = archive else {
        let json = read_json(files, "config.json")?;
        return match preset {
            Some(_) => Err(PresetError::NotNeeded { place: files.place().into() }.into()),
            None => Ok((json, None)),
        };
    };
    let sizes = sizes(&archive)?;
    let file = || archive.file().to_owned();
    let Some(preset) = preset.or(Preset::of(&sizes)) else {
        let Sizes { width, layers, heads, head_dim, .. } = sizes;
        return Err(PresetError::Unknown { file: file(), width, layers, heads, head_dim }.into());
    };
    if !preset.fits(&sizes) {
        let found = if sizes.post_norms { "Gemma 2" } else { "Gemma 1" };
        return Err(PresetError::Other { file: file(), found, wanted: preset }.into());
    }
    Ok((preset.config(&sizes, special_tokens(files)?), Some(preset)))
}

fn sizes(archive: &BigVision) -> Result<Sizes, PresetError> {
    let file = || archive.file().to_owned();
    let axis = |letter| archive.extent(letter);
    let (rows, columns, channels) = (axis('p'), axis('q'), axis('c'));
    if rows != columns || channels != 3 {
        return Err(PresetError::Patch { file: file(), rows, columns, channels });
    }
    let tokens = axis('t');
    if tokens.isqrt().pow(2) != tokens {
        return Err(PresetError::Grid { file: file(), tokens });
    }
    Ok(Sizes {
        vision_width: axis('e'),
        vision_layers: axis('L'),
        vision_heads: axis('a'),
        vision_mlp: axis('m'),
        patch: rows,
        grid: tokens.isqrt(),
        width: axis('d'),
        layers: axis('l'),
        heads: axis('n'),
        kv_heads: axis('g'),
        head_dim: axis('h'),
        mlp: axis('f'),
        vocabulary: axis('v'),
        post_norms: archive.variant() == Some(GEMMA2_NAME),
    })
}

/// Only this of a `tokenizer.json`.
#[derive(Deserialize)]
struct AddedTokens {
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

fn special_tokens(files: &dyn ModelFiles) -> Result<SpecialTokens> {
    let bad = |error: serde_json::Error| FormatError::Json { file: JSON.into(), reason: error.to_string() };
    let missing = || FormatError::Missing { name: JSON.into(), place: files.place().into() };
    let AddedTokens { added_tokens } = serde_json::from_slice(files.get(JSON).ok_or_else(missing)?).map_err(bad)?;
    let id = |content: &'static str| {
        let found = added_tokens.iter().find(|token| token.content == content);
        found.map(|token| token.id).ok_or(PresetError::NoToken(content))
    };
    Ok(SpecialTokens { image: id("<image>")?, bos: id("<bos>")?, eos: id("<eos>")? })
}
