#[cfg(feature = "npz")]
use super::big_vision::ARCHIVE;
use super::names::{EMBEDDING, HEAD, canonical};
use crate::format::{CheckpointRules, ExtraFile, TiedTensors};

/// Weights of a mask decoder, which may lie beside the model's: as safetensors, or as big_vision publishes them.
pub const MASK_DECODER_FILES: &[ExtraFile] = &[
    ExtraFile { file: "mask_decoder.safetensors", prefix: "mask_decoder." },
    ExtraFile { file: "vae-oid.npz", prefix: "mask_decoder." },
];

/// What is peculiar to the checkpoints of PaliGemma.
pub const CHECKPOINT: CheckpointRules = CheckpointRules {
    canonical,
    tied: &[TiedTensors { tensor: HEAD, to: EMBEDDING }],
    extra: MASK_DECODER_FILES,
    #[cfg(feature = "npz")]
    archive: Some(&ARCHIVE),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ErrorKind;
    use crate::format::{Checkpoint, MemoryFiles};

    /// A safetensors file of matrices `[1, 1]`.
    fn file(tensors: &[(&str, f32)]) -> Vec<u8> {
        let entry = |(n, (name, _)): (usize, &(&str, f32))| {
            format!(r#""{name}":{{"dtype":"F32","shape":[1,1],"data_offsets":[{},{}]}}"#, n * 4, n * 4 + 4)
        };
        let entries: Vec<String> = tensors.iter().enumerate().map(entry).collect();
        let header = format!("{{{}}}", entries.join(","));
        let data = tensors.iter().flat_map(|(_, value)| value.to_le_bytes());
        (header.len() as u64).to_le_bytes().into_iter().chain(header.into_bytes()).chain(data).collect()
    }

    fn embedding_of(tensors: &[(&str, f32)]) -> crate::base::Result<Vec<usize>> {
        let mut files = MemoryFiles::new();
        files.insert("model.safetensors", file(tensors));
        Checkpoint::open(&files, &CHECKPOINT)?.shape(EMBEDDING)
    }

    #[test]
    fn a_tied_head_serves_as_embedding_and_another_is_refused() {
        let embedding = "model.language_model.embed_tokens.weight";
        assert_eq!(embedding_of(&[("lm_head.weight", 0.0)]).expect("the head is enough"), [1, 1]);
        assert_eq!(embedding_of(&[("lm_head.weight", 2.0), (embedding, 2.0)]).expect("both are the same"), [1, 1]);
        let error = embedding_of(&[("lm_head.weight", 0.0), (embedding, 1.0)]).expect_err("the head differs");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let said = error.to_string();
        assert!(said.contains("lm_head.weight") && said.contains(embedding), "{said}");
    }

    #[test]
    fn a_mask_decoder_is_found_by_its_prefix() {
        let mut files = MemoryFiles::new();
        files.insert("model.safetensors", file(&[("x", 0.0)]));
        files.insert("mask_decoder.safetensors", file(&[("y", 0.0)]));
        let checkpoint = Checkpoint::open(&files, &CHECKPOINT).expect("both files are well");
        assert!(checkpoint.shape("x").is_ok() && checkpoint.shape("mask_decoder.y").is_ok());
    }
}
