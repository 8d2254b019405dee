use super::session::{PlanKey, StateRead};
use super::{Session, SessionError};
use crate::base::{ErrorKind, LayerError, Remedy, Result};
use crate::kernels::Step;
use crate::models::{Encoders, ImageEncoder, ImageSize, ImagesOutput, ImagesPass, Pass, states};

/// Most images of a pass: by then weights are read for so many that more at a time are no faster.
pub const MAX_IMAGES: usize = 8;
/// Most texts of a pass.
const MAX_TEXTS: usize = 32;
/// Sizes of image whose plans are kept; each is another plan.
const KEPT_SIZES: usize = 8;

/// Drives a model that makes something of images or of texts, each by itself: embeddings, features, logits of labels.
pub struct Encoder {
    session: Session,
    encoders: Encoders,
    /// Sizes of the images seen last, the latest at the end.
    sizes: Vec<[usize; 2]>,
}

/// A model without what this driver needs.
#[derive(Debug, thiserror::Error)]
#[error("a {architecture} has no encoder of {what} that works by itself")]
struct NoEncoder {
    architecture: &'static str,
    what: &'static str,
}

impl LayerError for NoEncoder {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }

    fn remedy(&self) -> Remedy {
        "Use a model that has one, such as a SigLIP.".into()
    }
}

/// How similar an image and a text must be to belong together: the logit of a pair is `scale * cosine + bias`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Factor on the cosine.
    pub scale: f32,
    /// What is added.
    pub bias: f32,
}

impl Encoder {
    /// Over a session whose architecture has an encoder of images, of texts, or of both.
    ///
    /// # Errors
    /// An architecture without one.
    pub fn new(session: Session) -> Result<Self> {
        let mut encoders = session.architecture().encoders();
        // Of a part of a model, what has no weights is not there.
        let images = encoders.image.as_ref().map(first_images);
        if let Some(pass) = images
            && !session.has(&pass)?
        {
            encoders.image = None;
        }
        if encoders.text.is_some() && !session.has(&Pass::Texts { count: 1 })? {
            encoders.text = None;
        }
        if encoders == Encoders::default() {
            return Err(NoEncoder { architecture: session.architecture().name(), what: "images or texts" }.into());
        }
        Ok(Self { session, encoders, sizes: Vec::new() })
    }

    /// The model on its player.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The same, to bring its weights.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The session without its driver.
    pub fn into_session(self) -> Session {
        self.session
    }

    /// What it drives.
    pub fn encoders(&self) -> &Encoders {
        &self.encoders
    }

    /// Takes the memory of one image and of one text, and checks their passes against the device's limits.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn check(&mut self) -> Result<()> {
        for pass in self.first_passes() {
            self.session.check(&pass).await?;
        }
        Ok(())
    }

    /// Has their plans and pipelines made, so that the first answer waits for none of it. Weights need not be there
    /// yet.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn prepare(&mut self) -> Result<()> {
        for pass in self.first_passes() {
            self.session.prepare(&pass).await?;
        }
        Ok(())
    }

    fn first_passes(&self) -> Vec<Pass> {
        let texts = self.encoders.text.map(|_| Pass::Texts { count: 1 });
        self.encoders.image.as_ref().map(first_images).into_iter().chain(texts).collect()
    }

    /// What becomes of images of one size, each `[H, W, 3]` f32: for each its row, or for features all of its rows.
    ///
    /// # Errors
    /// A model without such an output, an image of another size, a failing device.
    pub async fn images(&mut self, images: &[&[f32]], size: [usize; 2], output: ImagesOutput) -> Result<Vec<Vec<f32>>> {
        self.session.cancel_pending();
        self.check_output(output)?;
        let expected = size[0] * size[1] * 3;
        if let Some(image) = images.iter().find(|image| image.len() != expected) {
            return Err(SessionError::Picture { found: image.len(), expected }.into());
        }
        self.keep(size);
        let state = match output {
            ImagesOutput::Features => states::IMAGE_FEATURES,
            ImagesOutput::Embedding => states::EMBEDDING,
            ImagesOutput::Logits => states::LOGITS,
        };
        let mut rows = Vec::with_capacity(images.len());
        for batch in images.chunks(MAX_IMAGES) {
            let pass = Pass::Images(ImagesPass { count: batch.len(), size, output });
            let values = batch.concat();
            rows.extend(self.run(&pass, (states::IMAGE, bytemuck::cast_slice(&values)), state, batch.len()).await?);
        }
        Ok(rows)
    }

    /// The embedding of each text, not normalised. Every text has as many ids as the encoder takes.
    ///
    /// # Errors
    /// A model without a text encoder, ids that are not there or not as many, a failing device.
    pub async fn texts(&mut self, texts: &[Vec<u32>]) -> Result<Vec<Vec<f32>>> {
        self.session.cancel_pending();
        let text = self.encoders.text.ok_or_else(|| self.missing("texts"))?;
        for ids in texts {
            if ids.len() != text.length {
                return Err(SessionError::TextLength { found: ids.len(), expected: text.length }.into());
            }
            if let Some(&id) = ids.iter().find(|&&id| id as usize >= text.vocabulary) {
                return Err(SessionError::UnknownToken { id, vocabulary: text.vocabulary }.into());
            }
        }
        let mut rows = Vec::with_capacity(texts.len());
        for batch in texts.chunks(MAX_TEXTS) {
            let (pass, ids) = (Pass::Texts { count: batch.len() }, batch.concat());
            let input = (states::IDS, bytemuck::cast_slice(&ids));
            rows.extend(self.run(&pass, input, states::EMBEDDING, batch.len()).await?);
        }
        Ok(rows)
    }

    /// How similar an image and a text must be, where the checkpoint says so.
    ///
    /// # Errors
    /// A failing device.
    pub async fn similarity(&mut self) -> Result<Option<Similarity>> {
        if !self.encoders.text.is_some_and(|text| text.similarity) {
            return Ok(None);
        }
        let [log_scale, bias] = [self.session.scalar("logit_scale").await?, self.session.scalar("logit_bias").await?];
        Ok(Some(Similarity { scale: log_scale.exp(), bias }))
    }

    /// Plays a pass of `count` images or texts; the parts of its output.
    async fn run(
        &mut self,
        pass: &Pass,
        (input, bytes): (&'static str, &[u8]),
        output: &'static str,
        count: usize,
    ) -> Result<Vec<Vec<f32>>> {
        self.session.prepare(pass).await?;
        self.session.write(input, bytes)?;
        let each = self.session.values(pass, output)? / count.max(1);
        let step = Step::all(count, u32::MAX as usize)?;
        let read = StateRead::new(output, 0..each * count * 4);
        let bytes = self.session.submit(pass, &step, &[read]).await?.await?;
        let values: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
        Ok(values.chunks_exact(each.max(1)).map(<[f32]>::to_vec).collect())
    }

    /// Forgets the plans of sizes that have not been seen for long.
    fn keep(&mut self, size: [usize; 2]) {
        self.sizes.retain(|&seen| seen != size);
        self.sizes.push(size);
        if self.sizes.len() > KEPT_SIZES {
            let old = self.sizes.remove(0);
            self.session.unload(|key| matches!(key, PlanKey::Pass(Pass::Images(pass)) if pass.size == old));
        }
    }

    fn check_output(&self, output: ImagesOutput) -> Result<()> {
        let image = self.encoders.image.as_ref().ok_or_else(|| self.missing("images"))?;
        match output {
            ImagesOutput::Embedding if image.embedding.is_none() => Err(self.missing("images to one row").into()),
            ImagesOutput::Logits if image.labels.is_none() => Err(self.missing("images to labels").into()),
            _ => Ok(()),
        }
    }

    fn missing(&self, what: &'static str) -> NoEncoder {
        NoEncoder { architecture: self.session.architecture().name(), what }
    }
}

/// The pass of one image that will be asked for first.
fn first_images(image: &ImageEncoder) -> Pass {
    let output = match (&image.labels, image.embedding) {
        (Some(_), _) => ImagesOutput::Logits,
        (None, Some(_)) => ImagesOutput::Embedding,
        (None, None) => ImagesOutput::Features,
    };
    let side = match image.size {
        ImageSize::Square(side) => side,
        ImageSize::Patches { patch, budget } => budget.isqrt() * patch,
    };
    Pass::Images(ImagesPass { count: 1, size: [side; 2], output })
}
