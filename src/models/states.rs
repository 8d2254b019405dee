//! The names of buffers that passes of a model leave to one another and to the drivers above them.

/// Pixels of images, `[B*H*W, 3]`.
pub const IMAGE: &str = "image";
/// What the vision encoder makes of one image, `[P, D]`.
pub const PICTURE: &str = "picture";
/// The same of all images of a prompt, one after the other.
pub const FEATURES: &str = "features";
/// Ids of a pass over several tokens.
pub const IDS: &str = "ids";
/// The id that each sequence goes on with; a pass leaves its choice here for the next.
pub const NEXT_IDS: &str = "next_ids";
/// Ids whose log-probabilities are asked for.
pub const TARGETS: &str = "targets";
/// Those log-probabilities.
pub const SCORES: &str = "scores";
/// Logits of each sequence's last row, `[B, V]`.
pub const LOGITS: &str = "logits";
/// Id, logit and logsumexp of each sequence's likeliest token, `[B, 4]`.
pub const CHOICE: &str = "choice";
/// The likeliest tokens of each sequence, `[B, 2k]`.
pub const TOP_K: &str = "top_k";
/// A row for each image or text of a pass, `[B, d]`.
pub const EMBEDDING: &str = "embedding";
/// What an image encoder makes of its images, `[B * rows, D]`.
pub const IMAGE_FEATURES: &str = "image_features";
/// Codes of a mask.
pub const MASK_CODES: &str = "mask_codes";
/// The mask that they stand for.
pub const MASK: &str = "mask";

/// The keys of a layer.
pub fn keys(layer: usize) -> String {
    format!("k.{layer}")
}

/// The values of a layer.
pub fn values(layer: usize) -> String {
    format!("v.{layer}")
}
