use super::classify::LabelSet;
use crate::base::Result;
use crate::image::{Preprocessor, Rgb8};
use crate::models::{ImagesOutput, TextIds};
use crate::session::{CancelToken, Encoder, MAX_IMAGES, SessionError};

/// A model that makes vectors of pictures and texts: its driver, and how it has its texts.
pub(super) struct Encoding {
    encoder: Encoder,
    texts: Option<Box<dyn TextIds>>,
    /// The labels asked for last: pictures are often told apart by the same ones.
    pub labels: Option<LabelSet>,
}

/// Embeddings of texts.
pub(super) struct Embedded {
    /// A row each, not normalised.
    pub rows: Vec<Vec<f32>>,
    /// Numbers of the texts that were too long, and were cut.
    pub cut: Vec<usize>,
}

impl Encoding {
    pub fn new(encoder: Encoder, texts: Option<Box<dyn TextIds>>) -> Self {
        Self { encoder, texts, labels: None }
    }

    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    pub fn encoder_mut(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    pub fn into_encoder(self) -> Encoder {
        self.encoder
    }

    /// The tasks that it can do.
    pub fn tasks(&self) -> Vec<&'static str> {
        let (image, text) = (&self.encoder.encoders().image, &self.encoder.encoders().text);
        let labels = image.as_ref().is_some_and(|image| image.labels.is_some());
        let pooled = image.as_ref().is_some_and(|image| image.embedding.is_some());
        let can = [
            ("classify", labels || (pooled && text.is_some())),
            ("embed", pooled || text.is_some()),
            ("features", image.is_some()),
        ];
        can.into_iter().filter_map(|(task, can)| can.then_some(task)).collect()
    }

    /// What becomes of pictures: for each its row, or for features all of its rows.
    pub async fn pictures(
        &mut self,
        pictures: &[Rgb8],
        preprocessor: &Preprocessor,
        output: ImagesOutput,
        cancel: &CancelToken,
    ) -> Result<Vec<Vec<f32>>> {
        let mut rows = Vec::with_capacity(pictures.len());
        // Those of one size go together, and no more of them are held than do.
        for alike in pictures.chunk_by(|a, b| preprocessor.target(a) == preprocessor.target(b)) {
            for batch in alike.chunks(MAX_IMAGES) {
                cancel.check()?;
                let pixels: Vec<Vec<f32>> = batch.iter().map(|picture| preprocessor.apply(picture)).collect();
                let pixels: Vec<&[f32]> = pixels.iter().map(Vec::as_slice).collect();
                let size = preprocessor.target(&batch[0]);
                rows.extend(cancel.guard(self.encoder.images(&pixels, size, output)).await?);
            }
        }
        Ok(rows)
    }

    /// Embeds texts, many at a time.
    pub async fn texts(&mut self, texts: &[String], cancel: &CancelToken) -> Result<Embedded> {
        let rule = self.texts.as_ref().ok_or(SessionError::NoTexts)?;
        let inputs: Vec<_> = texts.iter().map(|text| rule.ids(text)).collect();
        let cut = inputs.iter().enumerate().filter(|(_, input)| input.cut).map(|(n, _)| n).collect();
        let ids: Vec<Vec<u32>> = inputs.into_iter().map(|input| input.ids).collect();
        Ok(Embedded { rows: cancel.guard(self.encoder.texts(&ids)).await?, cut })
    }
}
