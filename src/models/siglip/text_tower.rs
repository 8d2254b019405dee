use crate::base::{FieldError, Fields};
use crate::graph::{Graph, ShapeError, Source, StateKind};
use crate::models::blocks::{EncoderConfig, SIGLIP_TEXT};
use crate::models::{Names, TextEncoder, states};
use crate::ops::{Add, Embed, SelectRows};

/// SigLIP's text encoder in numbers: every text has as many ids, all of which see each other, padding too.
#[derive(Debug, Clone, PartialEq)]
pub struct TextTower {
    /// Its blocks.
    pub encoder: EncoderConfig,
    /// V, rows of the table of tokens.
    pub vocabulary: usize,
    /// L, ids of a text.
    pub length: usize,
    /// d, width of the embedding.
    pub embedding: usize,
    /// Whether a layer makes the embedding of the last row; else it is that row.
    pub head: bool,
}

impl TextTower {
    /// Of the fields of a `siglip_text_model` or `siglip2_text_model`, with transformers' defaults.
    ///
    /// # Errors
    /// A field that makes no model, or one that this version does not run.
    pub fn from_fields(fields: &Fields<'_>) -> Result<Self, FieldError> {
        let kinds = ["siglip_text_model", "siglip2_text_model"];
        fields.one_of("model_type", kinds[0], &kinds)?;
        let encoder = EncoderConfig { names: SIGLIP_TEXT, ..EncoderConfig::from_siglip(fields)? };
        let vocabulary = fields.usize("vocab_size", 32_000, 1..=1 << 24)?;
        let length = fields.usize("max_position_embeddings", 64, 1..=1 << 16)?;
        let embedding = fields.optional("projection_size", |size| size.usize(1..=1 << 16))?;
        // Not Hugging Face's: big_vision's i18n checkpoint of 400M has none.
        let head = fields.bool("text_use_head", true)?;
        let embedding = embedding.filter(|_| head).unwrap_or(encoder.width);
        Ok(Self { encoder, vocabulary, length, embedding, head })
    }

    /// Texts by themselves: state `ids` `[B * L, 1]` in, `embedding` `[B, d]` out, the last row of each behind a layer.
    ///
    /// # Errors
    /// Numbers that no kernel can work with.
    pub fn pass(&self, names: &Names, texts: usize) -> Result<Graph, ShapeError> {
        let (d, length) = (self.encoder.width, self.length);
        let mut g = Graph::new(format!("{texts} texts"));
        let ids = g.state(states::IDS, StateKind::Input, texts * length, 1)?;
        g.mark("embed");
        let table = names.at("embed", "embeddings.token_embedding").matrix(&mut g, self.vocabulary, d)?;
        let embedded = g.push("embedded", Embed { ids, table, features: None, scale: 1.0 })?;
        let position = Source::tensor(names.theirs(self.encoder.names.position));
        let position = g.whole(names.ours("position"), length, d, position)?;
        let x = g.push("x", Add { a: embedded, b: position })?;
        let x = self.encoder.blocks(&mut g, names, x, (texts > 1).then_some(length))?;
        g.mark("head");
        let last = g.push("last", SelectRows::one(x, length, length - 1))?;
        let normed = self.encoder.norm(&mut g, names, last)?;
        let embedding = match self.head {
            true => names.at("head", "head").linear(&mut g, normed, self.embedding, d)?,
            false => normed,
        };
        g.store(embedding, states::EMBEDDING, StateKind::Output)?;
        Ok(g)
    }

    /// Itself as a driver sees it; `similarity` is whether a scale and a bias come with it.
    pub fn text_encoder(&self, similarity: bool) -> TextEncoder {
        let Self { length, vocabulary, embedding, .. } = *self;
        TextEncoder { length, vocabulary, embedding, similarity }
    }
}
