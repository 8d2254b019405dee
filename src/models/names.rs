use crate::graph::{Graph, ShapeError, Source, Value, WeightId};
use crate::ops::{LayerNorm, Linear};

/// Where the weights of a block are: by name in the runtime and by name in a checkpoint.
#[derive(Debug, Clone)]
pub struct Names {
    ours: String,
    theirs: String,
}

impl Names {
    /// A block called `ours` in the runtime and `theirs` in a checkpoint.
    pub fn new(ours: impl Into<String>, theirs: impl Into<String>) -> Self {
        Self { ours: ours.into(), theirs: theirs.into() }
    }

    /// A part of it.
    pub fn at(&self, ours: &str, theirs: &str) -> Self {
        Self { ours: self.ours(ours), theirs: self.theirs(theirs) }
    }

    /// The same tensors in a checkpoint, by another name in the runtime.
    pub fn inside(&self, ours: &str) -> Self {
        Self { ours: self.ours(ours), theirs: self.theirs.clone() }
    }

    /// The name of one of its values or weights in the runtime.
    pub fn ours(&self, part: &str) -> String {
        format!("{}.{part}", self.ours)
    }

    /// The name of one of its tensors in a checkpoint; a block without a name there has its parts at the top.
    pub fn theirs(&self, part: &str) -> String {
        match self.theirs.as_str() {
            "" => part.to_owned(),
            theirs => format!("{theirs}.{part}"),
        }
    }

    /// Its name in the runtime.
    pub fn own(&self) -> &str {
        &self.ours
    }

    /// Its tensor `weight` as a matrix `[rows, k]`.
    ///
    /// # Errors
    /// A weight of that name that is declared already, and is another.
    pub fn matrix(&self, g: &mut Graph, rows: usize, k: usize) -> Result<WeightId, ShapeError> {
        g.matrix(self.own(), rows, k, Source::tensor(self.theirs("weight")))
    }

    /// Its tensor `part` as a vector `[k]`.
    ///
    /// # Errors
    /// A weight of that name that is declared already, and is another.
    pub fn vector(&self, g: &mut Graph, part: &str, k: usize) -> Result<Value, ShapeError> {
        g.whole(self.ours(part), 1, k, Source::tensor(self.theirs(part)))
    }

    /// `x · weightᵀ + bias` with its tensors `weight` `[rows, k]` and `bias` `[rows]`.
    ///
    /// # Errors
    /// A width of `x` that is not `k`.
    pub fn linear(&self, g: &mut Graph, x: Value, rows: usize, k: usize) -> Result<Value, ShapeError> {
        let (weight, bias) = (self.matrix(g, rows, k)?, self.vector(g, "bias", rows)?);
        g.push(self.own(), Linear::new(x, weight, Some(bias)))
    }

    /// The same without a bias.
    ///
    /// # Errors
    /// A width of `x` that is not `k`.
    pub fn unbiased(&self, g: &mut Graph, x: Value, rows: usize, k: usize) -> Result<Value, ShapeError> {
        let weight = self.matrix(g, rows, k)?;
        g.push(self.own(), Linear::new(x, weight, None))
    }

    /// LayerNorm with its tensors `weight` and `bias`.
    ///
    /// # Errors
    /// A width that kernels cannot work with.
    pub fn layer_norm(&self, g: &mut Graph, x: Value, eps: f32) -> Result<Value, ShapeError> {
        let width = g.width(x);
        let (weight, bias) = (self.vector(g, "weight", width)?, self.vector(g, "bias", width)?);
        g.push(self.own(), LayerNorm { x, weight, bias, eps })
    }
}
