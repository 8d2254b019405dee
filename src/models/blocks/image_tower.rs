use serde_json::Value as Json;

use super::{Pooling, VitConfig};
use crate::graph::{Graph, ShapeError, StateKind, Value};
use crate::models::{ImageEncoder, ImageSize, ImagesOutput, ImagesPass, Labels, Names, states};

/// A vision transformer that works by itself: what is made of its rows after the last block.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageTower {
    /// The transformer.
    pub vit: VitConfig,
    /// Whether pictures may have any size that makes no more patches than this; `None` where all are squares.
    pub budget: Option<usize>,
    /// How rows become one.
    pub pooling: Pooling,
    /// The tensors of a norm of the pooled row, which then takes the place of the norm of all rows.
    pub pooled_norm: Option<&'static str>,
    /// The tensors of the layer that gives logits, and what they are of.
    pub head: Option<(&'static str, Labels)>,
}

impl ImageTower {
    /// A pass over images by themselves. Tensors are called as the transformer's names say.
    ///
    /// # Errors
    /// An output that it does not have, a size that it does not take, numbers that no kernel can work with.
    pub fn pass(&self, names: &Names, pass: &ImagesPass) -> Result<Graph, ShapeError> {
        let [height, width] = pass.size;
        let mut g = Graph::new(format!("{} images of {height} x {width}", pass.count));
        let x = self.vit.encode(&mut g, names, pass.count, pass.size)?;
        g.mark("head");
        if pass.output == ImagesOutput::Features {
            let rows = self.normed_rows(&mut g, names, x)?;
            g.store(rows, states::IMAGE_FEATURES, StateKind::Output)?;
            return Ok(g);
        }
        let pooled = self.pooled(&mut g, names, x, pass.count)?;
        if pass.output == ImagesOutput::Embedding {
            g.store(pooled, states::EMBEDDING, StateKind::Output)?;
            return Ok(g);
        }
        let no_head = || ShapeError::NoPass("that gives logits of labels".into());
        let (head, labels) = self.head.as_ref().ok_or_else(no_head)?;
        let head = Names::new(names.ours("head"), *head);
        let logits = head.linear(&mut g, pooled, labels.names.len(), self.vit.encoder.width)?;
        g.store(logits, states::LOGITS, StateKind::Output)?;
        Ok(g)
    }

    /// The pass that uses all of its weights.
    pub fn whole(&self) -> ImagesPass {
        let output = match (&self.head, self.pooling) {
            (Some(_), _) => ImagesOutput::Logits,
            (None, Pooling::None) => ImagesOutput::Features,
            (None, _) => ImagesOutput::Embedding,
        };
        ImagesPass { count: 1, size: [self.vit.image_size; 2], output }
    }

    /// Itself as a driver sees it.
    pub fn encoder(&self) -> ImageEncoder {
        let width = self.vit.encoder.width;
        ImageEncoder {
            width,
            embedding: (self.pooling != Pooling::None).then_some(width),
            labels: self.head.as_ref().map(|(_, labels)| labels.clone()),
            size: match self.budget {
                None => ImageSize::Square(self.vit.image_size),
                Some(budget) => ImageSize::Patches { patch: self.vit.patch, budget },
            },
        }
    }

    /// Its numbers, for reports.
    pub fn numbers(&self) -> Vec<(&'static str, Json)> {
        let (vit, encoder) = (&self.vit, &self.vit.encoder);
        let mut numbers: Vec<(&'static str, Json)> = vec![
            ("width", encoder.width.into()),
            ("layers", encoder.layers.into()),
            ("heads", encoder.heads.into()),
            ("mlp", encoder.mlp.into()),
            ("patch", vit.patch.into()),
        ];
        match self.budget {
            None => numbers
                .extend([("image_size", vit.image_size.into()), ("tokens", (vit.prefix.rows() + vit.tokens()).into())]),
            Some(budget) => numbers.push(("patches", budget.into())),
        }
        if let Some((_, labels)) = &self.head {
            numbers.push(("classes", labels.names.len().into()));
        }
        numbers
    }

    fn normed_rows(&self, g: &mut Graph, names: &Names, x: Value) -> Result<Value, ShapeError> {
        match self.pooled_norm {
            None => self.vit.encoder.norm(g, names, x),
            Some(_) => Ok(x),
        }
    }

    fn pooled(&self, g: &mut Graph, names: &Names, x: Value, images: usize) -> Result<Value, ShapeError> {
        let rows = self.normed_rows(g, names, x)?;
        let pooled = self.vit.pool(g, names, self.pooling, rows, images)?;
        match self.pooled_norm {
            None => Ok(pooled),
            Some(norm) => names.at("pooled_norm", norm).layer_norm(g, pooled, self.vit.encoder.eps),
        }
    }
}
