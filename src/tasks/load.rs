//! From files to a model: a checkpoint as a whole, a pack shard by shard.

use serde_json::Value;

use super::encoding::Encoding;
use super::generative::Generative;
use super::model::Driver;
use super::{Model, ModelOptions};
use crate::base::{FieldError, Fields, Result};
use crate::format::pack::{MANIFEST, Manifest};
use crate::format::{Checkpoint, FormatError, ModelFiles, read_json};
use crate::image::Rgb8;
use crate::models::{self, Pass};
use crate::session::{AutoRegressive, Encoder, LoadProgress, Loader, Player, Session, open_pack};
use crate::text::{JSON, SENTENCEPIECE, TextError};

/// The small files of a model, beside its weights.
struct Companions<'a> {
    tokenizer: Option<&'a [u8]>,
    tokenizer_config: Option<&'a Value>,
    processor: Option<&'a Value>,
    generation: Option<&'a Value>,
}

impl Companions<'_> {
    /// What drives the model: what it is decides what it can do.
    fn driver(&self, session: Session) -> Result<Driver> {
        let architecture = session.architecture();
        let tokenizer = self.tokenizer.unwrap_or_default();
        if architecture.decoder().is_some() {
            let language = architecture.language(tokenizer)?;
            let ends = self.generation.map(end_tokens).transpose()?.flatten();
            let ends = ends.unwrap_or_else(|| architecture.end_tokens());
            return Ok(Driver::Generative(Generative::new(AutoRegressive::new(session)?, language, ends)));
        }
        let encoder = Encoder::new(session)?;
        let texts = match encoder.encoders().text {
            Some(_) => Some(encoder.session().architecture().text_ids(tokenizer, self.tokenizer_config)?),
            None => None,
        };
        Ok(Driver::Encoding(Encoding::new(encoder, texts)))
    }
}

/// A model that comes shard by shard, so that nobody holds all of it but the device.
pub struct ModelLoader {
    model: Model,
    loader: Loader,
}

impl ModelLoader {
    /// Takes memory for the weights and an ordinary question on a player: for those of some parts of the model, or of all.
    /// `now_ms` is a clock.
    ///
    /// # Errors
    /// A manifest or tokenizer that cannot be used, a part that the pack does not have, a device without the memory or
    /// limits for the model.
    pub async fn begin(
        player: Player,
        manifest: &Manifest,
        tokenizer: Option<&[u8]>,
        parts: Option<&[&str]>,
        fuse: bool,
        now_ms: fn() -> f64,
    ) -> Result<Self> {
        let architecture = open_pack(manifest)?;
        let companions = Companions {
            tokenizer,
            tokenizer_config: manifest.tokenizer_config.as_ref(),
            processor: manifest.processor.as_ref(),
            generation: manifest.generation.as_ref(),
        };
        let preprocessor = architecture.preprocessor(companions.processor)?;
        let (session, loader) = match parts {
            Some(parts) => Loader::of_parts(player, manifest, parts, fuse).await?,
            None => Loader::of_pack(player, manifest, fuse).await?,
        };
        let mut driver = companions.driver(session)?;
        driver.check().await?;
        Ok(Self { model: Model { driver, preprocessor, now_ms }, loader })
    }

    /// Puts one shard on the device. Shards come in the manifest's order.
    ///
    /// # Errors
    /// A file that contradicts itself, the manifest or the order; a failing device.
    pub fn push(&mut self, file: &str, bytes: &[u8]) -> Result<LoadProgress> {
        self.loader.push(self.model.driver.session_mut(), file, bytes)
    }

    /// Has a GPU make the pipelines of an ordinary question, while weights are on their way.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn prepare(&mut self) -> Result<()> {
        self.model.driver.prepare().await
    }

    /// Whether the vision encoder is there, which comes first.
    pub fn vision_ready(&self) -> bool {
        self.loader.complete(self.model.driver.session(), &Pass::EncodeImage).is_ok()
    }

    /// Encodes a picture while the decoder's weights are on their way: the first question about it need not
    /// wait for that.
    ///
    /// # Errors
    /// A vision encoder that is not there, a failing device.
    pub async fn encode_image(&mut self, picture: &Rgb8) -> Result<()> {
        self.loader.complete(self.model.driver.session(), &Pass::EncodeImage)?;
        let pixels = self.model.preprocessor.apply(picture);
        self.model.driver.writer("prompt")?.encode_ahead(pixels).await
    }

    /// The model, once all weights are there.
    ///
    /// # Errors
    /// A weight that has not come.
    pub fn finish(self) -> Result<Model> {
        self.loader.finish()?;
        Ok(self.model)
    }
}

impl Model {
    /// Puts a model on a player: a pack as it is, a checkpoint converted as it is read.
    ///
    /// `now_ms` is a clock; `progress` is told of every part loaded, and ends the load with an error of its own. The
    /// dtype of `options` is for checkpoints; a pack keeps its own.
    ///
    /// # Errors
    /// Missing, damaged or contradicting files, an architecture that is not supported, a device without the memory or
    /// limits for it.
    pub async fn load(
        files: &dyn ModelFiles,
        player: Player,
        options: ModelOptions,
        now_ms: fn() -> f64,
        progress: &mut dyn FnMut(LoadProgress) -> Result<()>,
    ) -> Result<Self> {
        if let Some(manifest) = files.get(MANIFEST) {
            let manifest = Manifest::parse(manifest)?;
            let tokenizer = manifest.tokenizer.as_ref().map(|entry| file(files, &entry.file)).transpose()?;
            check_lengths(files, &manifest)?;
            let mut loader = ModelLoader::begin(player, &manifest, tokenizer, None, options.fuse, now_ms).await?;
            for shard in manifest.shards() {
                progress(loader.push(&shard.file, file(files, &shard.file)?)?)?;
            }
            return loader.finish();
        }
        let architecture = models::open(&config_json(files)?)?;
        let tokenizer = if architecture.reads_text() { Some(tokenizer_json(files)?) } else { None };
        let [processor, generation, tokenizer_config] =
            ["preprocessor_config.json", "generation_config.json", "tokenizer_config.json"]
                .map(|name| optional_json(files, name));
        let (processor, generation, tokenizer_config) = (processor?, generation?, tokenizer_config?);
        let companions = Companions {
            tokenizer,
            tokenizer_config: tokenizer_config.as_ref(),
            processor: processor.as_ref(),
            generation: generation.as_ref(),
        };
        let preprocessor = architecture.preprocessor(companions.processor)?;
        let checkpoint = Checkpoint::open(files, &architecture.checkpoint_rules())?;
        let (session, mut loader) = Loader::of_checkpoint(player, architecture, &checkpoint, options).await?;
        let mut driver = companions.driver(session)?;
        driver.check().await?;
        loader.read(driver.session_mut(), &checkpoint, progress)?;
        loader.finish()?;
        Ok(Self { driver, preprocessor, now_ms })
    }
}

/// Fails where a shard is missing or has another length than its manifest says: no memory is taken for what cannot come.
fn check_lengths(files: &dyn ModelFiles, manifest: &Manifest) -> Result<(), FormatError> {
    for shard in manifest.shards() {
        let found = file(files, &shard.file)?.len();
        if found as u64 != shard.bytes {
            return Err(FormatError::Weights {
                file: shard.file.clone(),
                what: "its length".into(),
                found: format!("{found} bytes"),
                expected: format!("the {} bytes that {MANIFEST} says", shard.bytes),
            });
        }
    }
    Ok(())
}

/// The model's configuration.
pub(super) fn config_json(files: &dyn ModelFiles) -> Result<Value> {
    #[cfg(feature = "npz")]
    return Ok(models::config_json(files, None)?.0);
    #[cfg(not(feature = "npz"))]
    Ok(read_json(files, "config.json")?)
}

/// Whether a model with this `config.json` needs a tokenizer: of what cannot be opened, loading tells why.
pub fn reads_text(config: &[u8]) -> bool {
    let json = serde_json::from_slice::<Value>(config).ok();
    json.and_then(|json| models::open(&json).ok()).is_some_and(|architecture| architecture.reads_text())
}

/// A file that must be there.
pub(super) fn file<'a>(files: &'a dyn ModelFiles, name: &str) -> Result<&'a [u8], FormatError> {
    files.get(name).ok_or_else(|| FormatError::Missing { name: name.into(), place: files.place().into() })
}

/// The tokenizer of a checkpoint.
pub(super) fn tokenizer_json(files: &dyn ModelFiles) -> Result<&[u8], TextError> {
    let sentencepiece = files.get(SENTENCEPIECE).is_some();
    files.get(JSON).ok_or_else(|| TextError::Missing { place: files.place().into(), sentencepiece })
}

/// A JSON file that may be there.
pub(super) fn optional_json(files: &dyn ModelFiles, name: &str) -> Result<Option<Value>> {
    Ok(match files.get(name) {
        Some(_) => Some(read_json(files, name)?),
        None => None,
    })
}

/// The ids that end an answer, where `generation_config.json` says so: one or several.
fn end_tokens(json: &Value) -> Result<Option<Vec<u32>>, FieldError> {
    let fields = Fields::of("generation_config.json", json)?;
    fields.optional("eos_token_id", |ids| ids.ids())
}
