/// How the tensors of a transformer encoder are called in a checkpoint, each below the encoder's own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderNames {
    /// What makes a row of a patch: a `weight` and a `bias`.
    pub patch: &'static str,
    /// The table of positions.
    pub position: &'static str,
    /// The class row, which comes first.
    pub class: &'static str,
    /// The register rows after it.
    pub registers: &'static str,
    /// Stands before the number of a block.
    pub block: &'static str,
    /// The norm before attention.
    pub norm1: &'static str,
    /// Queries, keys and values.
    pub qkv: QkvNames,
    /// What attention's heads go through.
    pub out: &'static str,
    /// LayerScale's factors of what attention gives.
    pub scale1: &'static str,
    /// The norm before the MLP.
    pub norm2: &'static str,
    /// The MLP's first layer.
    pub fc1: &'static str,
    /// The MLP's second layer.
    pub fc2: &'static str,
    /// LayerScale's factors of what the MLP gives.
    pub scale2: &'static str,
    /// The norm after the last block.
    pub norm: &'static str,
}

/// The layers of queries, keys and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QkvNames {
    /// Three layers.
    Separate([&'static str; 3]),
    /// One whose rows are queries, keys, values.
    Fused(&'static str),
}

/// Hugging Face's SigLIP, its tower.
pub const SIGLIP: EncoderNames = EncoderNames {
    patch: "embeddings.patch_embedding",
    position: "embeddings.position_embedding.weight",
    class: "",
    registers: "",
    block: "encoder.layers",
    norm1: "layer_norm1",
    qkv: QkvNames::Separate(["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
    out: "self_attn.out_proj",
    scale1: "",
    norm2: "layer_norm2",
    fc1: "mlp.fc1",
    fc2: "mlp.fc2",
    scale2: "",
    norm: "post_layernorm",
};

/// Hugging Face's SigLIP, its text tower.
pub const SIGLIP_TEXT: EncoderNames = EncoderNames { patch: "", norm: "final_layer_norm", ..SIGLIP };

/// Hugging Face's ViT, as transformers 5.24 calls its tensors.
pub const HF_VIT: EncoderNames = EncoderNames {
    patch: "embeddings.patch_embeddings.projection",
    position: "embeddings.position_embeddings",
    class: "embeddings.cls_token",
    block: "layers",
    norm1: "layernorm_before",
    qkv: QkvNames::Separate(["attention.q_proj", "attention.k_proj", "attention.v_proj"]),
    out: "attention.o_proj",
    norm2: "layernorm_after",
    norm: "layernorm",
    ..SIGLIP
};

/// timm's vision transformers.
pub const TIMM: EncoderNames = EncoderNames {
    patch: "patch_embed.proj",
    position: "pos_embed",
    class: "cls_token",
    registers: "reg_token",
    block: "blocks",
    norm1: "norm1",
    qkv: QkvNames::Fused("attn.qkv"),
    out: "attn.proj",
    scale1: "ls1.gamma",
    norm2: "norm2",
    fc1: "mlp.fc1",
    fc2: "mlp.fc2",
    scale2: "ls2.gamma",
    norm: "norm",
};
