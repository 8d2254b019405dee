use crate::text::Tokenizer;

/// What a driver must know of encoders that each make something of one image or one text by itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoders {
    /// The image encoder, if there is one.
    pub image: Option<ImageEncoder>,
    /// The text encoder, if there is one.
    pub text: Option<TextEncoder>,
}

/// An image encoder as its driver sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageEncoder {
    /// D, width of the rows of features.
    pub width: usize,
    /// d, width of the pooled row; `None` where nothing is pooled.
    pub embedding: Option<usize>,
    /// What it tells apart, if it has a head.
    pub labels: Option<Labels>,
    /// The sizes of image that it takes.
    pub size: ImageSize,
}

/// The sizes of image that an encoder takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageSize {
    /// So many pixels along each side.
    Square(usize),
    /// Sides that are multiples of a patch's, in any proportion.
    Patches {
        /// Pixels along one side of a patch.
        patch: usize,
        /// Most patches of an image.
        budget: usize,
    },
}

/// What a classifier tells apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// A name for each row of the head.
    pub names: Vec<String>,
    /// Whether several may be true of one image: scores are sigmoids then, else one softmax.
    pub multi_label: bool,
}

/// A text encoder as its driver sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextEncoder {
    /// L, ids of every text.
    pub length: usize,
    /// V, ids that there are.
    pub vocabulary: usize,
    /// d, width of the embedding.
    pub embedding: usize,
    /// Whether the checkpoint says how similar an image and a text must be to belong together: weights `logit_scale`
    /// and `logit_bias`.
    pub similarity: bool,
}

/// How a text encoder has its texts.
pub trait TextIds {
    /// The tokenizer of the texts.
    fn tokenizer(&self) -> &Tokenizer;

    /// The ids of a text: exactly as many as the encoder takes.
    fn ids(&self, text: &str) -> TextInput;
}

/// A text as its encoder takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextInput {
    /// L ids.
    pub ids: Vec<u32>,
    /// Whether the text was longer than they can hold.
    pub cut: bool,
}
