//! `tokenizer.json` as Hugging Face's library writes it, for BPE and Unigram with the parts that Gemma's, T5's and
//! SigLIP's tokenizers have.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use super::added::{AddedToken, AddedTokens};
use super::components::{Refused, rules};
use super::json_model::ModelPart;
use super::own::Own;

/// The file. What it says of padding, truncation and a post-processor is what calls of that library do; a
/// prompt is put together by the model that it is for.
#[derive(Deserialize)]
struct File<'a> {
    version: Option<String>,
    #[serde(default)]
    added_tokens: Vec<Added>,
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    decoder: Value,
    #[serde(borrow)]
    model: ModelPart<'a>,
}

#[derive(Deserialize)]
struct Added {
    content: String,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

/// Reads a `tokenizer.json`.
///
/// # Errors
/// Not JSON, or parts that are not known here.
pub(super) fn read(json: &[u8]) -> Result<Own, Refused> {
    let file: File<'_> = serde_json::from_slice(json).map_err(|error| match error.classify() {
        Category::Data => Refused::Unknown(error.to_string()),
        _ => Refused::Damaged(error.to_string()),
    })?;
    if let Some(version) = file.version.as_deref().filter(|&version| version != "1.0") {
        return Err(Refused::Unknown(format!("its version is {version:?}, expected \"1.0\"")));
    }
    let rules = rules(&file.normalizer, &file.pre_tokenizer, &file.decoder)?;
    let model = file.model.read()?;
    let pieces: HashMap<&str, u32> = model.pieces().iter().zip(0..).collect();
    let mut next = model.pieces().len();
    let mut tokens = Vec::with_capacity(file.added_tokens.len());
    for token in file.added_tokens {
        let Added { content, single_word, lstrip, rstrip, normalized, special } = token;
        if single_word {
            let reason = format!("its added token {content:?} is only a word of its own (`single_word`)");
            return Err(Refused::Unknown(reason));
        }
        // A piece of the vocabulary keeps its id; others get the next ones, whatever the file says.
        let id = pieces.get(content.as_str()).copied().unwrap_or(next);
        next += u32::from(id == next);
        tokens.push(AddedToken { content, id, special, normalized, lstrip, rstrip });
    }
    let added = AddedTokens::new(tokens, &rules);
    let added = added.ok_or_else(|| Refused::Unknown("one of its added tokens is empty or twice".into()))?;
    Ok(Own { rules, model, added })
}
