//! What SigLIP makes of a text, as the classes of its tokenizers in transformers do.
//!
//! SigLIP 1 (`SiglipTokenizer`, Unigram): lower case, no punctuation of ASCII, single spaces. SigLIP 2
//! (`Siglip2Tokenizer` and Gemma's, BPE): lower case. Both: no first token, one at the end, and padding.

use serde_json::Value;

use crate::base::{ErrorKind, FieldError, Fields, LayerError, Remedy, Result};
use crate::models::{TextIds, TextInput};
use crate::text::{Normalizer, Pattern, Tokenizer, TokenizerKind};

const CONFIG: &str = "tokenizer_config.json";
/// Tokenizers of SigLIP 2.
const GEMMA: [&str; 3] = ["Siglip2Tokenizer", "GemmaTokenizer", "GemmaTokenizerFast"];

/// A tokenizer that a SigLIP cannot have.
#[derive(Debug, thiserror::Error)]
enum SiglipTextError {
    #[error("{CONFIG} says {class}, whose tokenizer is {}, and tokenizer.json is {}", .expected.name(), .found.name())]
    Class { class: String, expected: TokenizerKind, found: TokenizerKind },
    #[error("tokenizer.json is of {}, expected Unigram for SigLIP 1 or BPE for SigLIP 2", .0.name())]
    Kind(TokenizerKind),
    #[error("tokenizer.json has no {what} {token:?}")]
    NoToken { what: &'static str, token: String },
    #[error("tokenizer.json has ids up to {largest}, and the model has {vocabulary} rows for them")]
    Vocabulary { largest: u32, vocabulary: usize },
}

impl LayerError for SiglipTextError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadTokenizer
    }

    fn remedy(&self) -> Remedy {
        "Check that the tokenizer is the one that came with this checkpoint.".into()
    }
}

/// The texts of a SigLIP.
#[derive(Debug)]
pub struct SiglipText {
    tokenizer: Tokenizer,
    /// L.
    length: usize,
    /// Ends a text.
    end: u32,
    padding: u32,
    /// Whether padding goes before a text.
    left: bool,
}

/// What `tokenizer_config.json` says; what it leaves out is as published.
#[derive(Debug, Default)]
struct Said {
    class: Option<String>,
    end: Option<String>,
    padding: Option<String>,
    left: bool,
    lowercase: Option<bool>,
}

impl Said {
    fn read(config: &Value) -> Result<Self, FieldError> {
        let fields = Fields::of(CONFIG, config)?;
        let text = |name: &str| fields.optional(name, |field| field.string().map(str::to_owned));
        // A text, or an object with what there is to know of the token.
        let token = |name: &str| {
            fields.optional(name, |field| match field.value().is_object() {
                true => field.object()?.required("content", "a text")?.string().map(str::to_owned),
                false => field.string().map(str::to_owned),
            })
        };
        let flag = |name: &str| fields.optional(name, |field| field.bool());
        let side = fields.optional("padding_side", |field| field.one_of(&["left", "right"]))?;
        Ok(Self {
            class: text("tokenizer_class")?,
            end: token("eos_token")?,
            padding: token("pad_token")?,
            left: side == Some("left"),
            lowercase: flag("do_lower_case")?.or(flag("lowercase")?),
        })
    }

    /// The kind of tokenizer that its class has, where it is one of SigLIP's.
    fn kind(&self) -> Option<TokenizerKind> {
        match self.class.as_deref()? {
            "SiglipTokenizer" => Some(TokenizerKind::Unigram),
            class if GEMMA.contains(&class) => Some(TokenizerKind::Bpe),
            _ => None,
        }
    }
}

impl SiglipText {
    /// With a tokenizer's file of either form, the contents of `tokenizer_config.json` if there is one, and the text
    /// encoder's L and V.
    ///
    /// # Errors
    /// A damaged file, a tokenizer that is not SigLIP's, or that gives ids that the model does not know.
    pub fn load(file: &[u8], config: Option<&Value>, length: usize, vocabulary: usize) -> Result<Self> {
        let said = config.map(Said::read).transpose()?.unwrap_or_default();
        let tokenizer = Tokenizer::load(file)?;
        let found = tokenizer.kind();
        if let (Some(class), Some(expected)) = (&said.class, said.kind().filter(|&kind| kind != found)) {
            return Err(SiglipTextError::Class { class: class.clone(), expected, found }.into());
        }
        let lowercase = said.lowercase.unwrap_or(true);
        let (first, end, padding) = match found {
            TokenizerKind::Unigram => (canonical(lowercase), "</s>", "</s>"),
            TokenizerKind::Bpe => (lower(lowercase, false), "<eos>", "<pad>"),
            TokenizerKind::Other => return Err(SiglipTextError::Kind(found).into()),
        };
        let largest = tokenizer.largest_id();
        if largest as usize >= vocabulary {
            return Err(SiglipTextError::Vocabulary { largest, vocabulary }.into());
        }
        let id = |what, said: Option<String>, usual: &str| {
            let token = said.unwrap_or(usual.into());
            tokenizer.id(&token).ok_or(SiglipTextError::NoToken { what, token })
        };
        let (end, padding) = (id("end", said.end, end)?, id("padding", said.padding, padding)?);
        Ok(Self { tokenizer: tokenizer.with_normalizers(first)?, length, end, padding, left: said.left })
    }
}

impl TextIds for SiglipText {
    fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    fn ids(&self, text: &str) -> TextInput {
        let mut ids = self.tokenizer.encode(text);
        let room = self.length.saturating_sub(1);
        let cut = ids.len() > room;
        ids.truncate(room);
        ids.push(self.end);
        let padding = std::iter::repeat_n(self.padding, self.length.saturating_sub(ids.len()));
        if self.left {
            ids.splice(..0, padding);
        } else {
            ids.extend(padding);
        }
        TextInput { ids, cut }
    }
}

/// `SiglipTokenizer`'s canonical form of a text.
fn canonical(lowercase: bool) -> Vec<Normalizer> {
    let mut all = lower(lowercase, true);
    all.push(Normalizer::Replace { pattern: Pattern::ascii_punctuation(), to: String::new() });
    all.push(Normalizer::Replace { pattern: Pattern::white_space(), to: " ".into() });
    all.push(Normalizer::Strip { left: true, right: true });
    all
}

fn lower(lowercase: bool, words: bool) -> Vec<Normalizer> {
    if lowercase { vec![Normalizer::Lowercase { words }] } else { Vec::new() }
}
