//! Models of random weights, as Hugging Face directories in f16.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use half::f16;
use serde_json::{Map, Value, json};

use super::super::error::CliError;

/// A PaliGemma in numbers. Pictures have 224 pixels in patches of 14: 256 tokens.
pub struct Shape {
    /// Written into the marker of a complete model: changes with the weights.
    pub name: &'static str,
    /// D of the tower.
    tower: usize,
    tower_layers: usize,
    tower_heads: usize,
    /// F of the tower.
    tower_mlp: usize,
    /// D of the decoder.
    width: usize,
    layers: usize,
    /// H, and K of each head; there is one key and value head.
    heads: usize,
    head_dim: usize,
    /// F of the decoder.
    mlp: usize,
    /// V.
    vocabulary: usize,
    /// `<image>`; its row and those after it are never chosen.
    image_token: usize,
}

/// What the bench runs: about 220 MB.
pub const BENCH: Shape = Shape {
    name: "bench",
    tower: 384,
    tower_layers: 12,
    tower_heads: 6,
    tower_mlp: 1536,
    width: 640,
    layers: 12,
    heads: 4,
    head_dim: 256,
    mlp: 2048,
    vocabulary: 32_768,
    image_token: 32_767,
};

/// PaliGemma 3B as Hugging Face publishes it: 2.9 thousand million weights, 5.8 GB.
pub const FULL_SIZE: Shape = Shape {
    name: "paligemma-3b",
    tower: 1152,
    tower_layers: 27,
    tower_heads: 16,
    tower_mlp: 4304,
    width: 2048,
    layers: 18,
    heads: 8,
    head_dim: 256,
    mlp: 16_384,
    vocabulary: 257_216,
    image_token: 257_152,
};

const IMAGE_SIZE: usize = 224;
const PATCH: usize = 14;
/// P, tokens of a picture.
const PATCHES: usize = (IMAGE_SIZE / PATCH) * (IMAGE_SIZE / PATCH);
/// `<pad>`, `<eos>`, `<bos>`, `<unk>`: their rows are zero, so no step ever chooses one and every run is full length.
const SPECIALS: [&str; 4] = ["<pad>", "<eos>", "<bos>", "<unk>"];

/// Written last: where it is, the model is complete.
const COMPLETE: &str = "random-model.json";
const VERSION: u32 = 2;

/// How a tensor is filled.
#[derive(Clone, Copy)]
enum Fill {
    /// Uniform with this standard deviation.
    Random(f32),
    /// Uniform, but zero in the rows of the special tokens.
    Embedding,
    Constant(f32),
}

struct Tensor {
    name: String,
    shape: Vec<usize>,
    fill: Fill,
}

/// Writes the model unless it is there already.
pub fn make(directory: &Path, shape: &Shape) -> Result<(), CliError> {
    let complete = directory.join(COMPLETE);
    let marker = json!({ "version": VERSION, "shape": shape.name }).to_string();
    if fs::read_to_string(&complete).is_ok_and(|found| found == marker) {
        return Ok(());
    }
    let write = |name: &str, text: String| {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|reason| CliError::writing(&path, reason))
    };
    fs::create_dir_all(directory).map_err(|reason| CliError::writing(directory, reason))?;
    write("config.json", config(shape).to_string())?;
    write("preprocessor_config.json", preprocessor().to_string())?;
    write("generation_config.json", json!({ "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0 }).to_string())?;
    write("tokenizer.json", tokenizer(shape.image_token).to_string())?;
    let weights = directory.join("model.safetensors");
    write_weights(&weights, shape).map_err(|reason| CliError::writing(&weights, reason))?;
    write(COMPLETE, marker)
}

fn config(shape: &Shape) -> Value {
    json!({
        "architectures": ["PaliGemmaForConditionalGeneration"],
        "model_type": "paligemma",
        "bos_token_id": 2,
        "eos_token_id": 1,
        "pad_token_id": 0,
        "hidden_size": shape.width,
        "image_token_index": shape.image_token,
        "projection_dim": shape.width,
        "text_config": {
            "model_type": "gemma",
            "hidden_size": shape.width,
            "intermediate_size": shape.mlp,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": 1,
            "num_hidden_layers": shape.layers,
            "head_dim": shape.head_dim,
            "num_image_tokens": PATCHES,
            "vocab_size": shape.vocabulary
        },
        "vision_config": {
            "model_type": "siglip_vision_model",
            "hidden_size": shape.tower,
            "intermediate_size": shape.tower_mlp,
            "num_attention_heads": shape.tower_heads,
            "num_hidden_layers": shape.tower_layers,
            "num_image_tokens": PATCHES,
            "image_size": IMAGE_SIZE,
            "patch_size": PATCH,
            "projection_dim": shape.width
        }
    })
}

fn preprocessor() -> Value {
    json!({
        "image_processor_type": "SiglipImageProcessor",
        "processor_class": "PaliGemmaProcessor",
        "do_resize": true,
        "do_rescale": true,
        "do_normalize": true,
        "rescale_factor": 1.0 / 255.0,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "resample": 3,
        "size": { "height": IMAGE_SIZE, "width": IMAGE_SIZE }
    })
}

/// A tokenizer of Gemma's kind without merges: every character of a prompt is one token, a space too.
fn tokenizer(image_token: usize) -> Value {
    let mut pieces: Vec<String> = SPECIALS.iter().map(|&token| token.to_owned()).collect();
    pieces.extend((0..256).map(|byte| format!("<0x{byte:02X}>")));
    pieces.extend(["\n".to_owned(), "\u{2581}".to_owned()]);
    pieces.extend(('!'..='~').map(String::from));
    // Every id that may come out needs a text.
    pieces.extend((pieces.len()..image_token).map(|id| format!("w{id}")));
    let vocab: Map<String, Value> = pieces.iter().enumerate().map(|(id, piece)| (piece.clone(), id.into())).collect();
    let specials = SPECIALS.iter().enumerate().map(|(id, &content)| (id, content));
    let added: Vec<Value> = specials
        .chain([(image_token, "<image>")])
        .map(|(id, content)| {
            json!({
                "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true
            })
        })
        .collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": { "type": "Replace", "pattern": { "String": " " }, "content": "\u{2581}" },
        "pre_tokenizer": null,
        "post_processor": null,
        "decoder": {
            "type": "Sequence",
            "decoders": [
                { "type": "Replace", "pattern": { "String": "\u{2581}" }, "content": " " },
                { "type": "ByteFallback" },
                { "type": "Fuse" }
            ]
        },
        "model": {
            "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
            "vocab": vocab, "merges": []
        }
    })
}

fn tensors(shape: &Shape) -> Vec<Tensor> {
    let &Shape { tower: tower_width, tower_mlp, width, mlp, head_dim, .. } = shape;
    let mut all = Vec::new();
    let mut add = |name: String, shape: &[usize], fill| all.push(Tensor { name, shape: shape.into(), fill });
    // Keeps the size of what passes through.
    let matrix = |k: usize| Fill::Random((k as f32).powf(-0.5));
    let bias = Fill::Random(0.02);
    let tower = "vision_tower.vision_model";
    let patch = format!("{tower}.embeddings.patch_embedding");
    add(format!("{patch}.weight"), &[tower_width, 3, PATCH, PATCH], matrix(3 * PATCH * PATCH));
    add(format!("{patch}.bias"), &[tower_width], bias);
    add(format!("{tower}.embeddings.position_embedding.weight"), &[PATCHES, tower_width], Fill::Random(0.5));
    for layer in 0..shape.tower_layers {
        let layer = format!("{tower}.encoder.layers.{layer}");
        for norm in ["layer_norm1", "layer_norm2"] {
            add(format!("{layer}.{norm}.weight"), &[tower_width], Fill::Constant(1.0));
            add(format!("{layer}.{norm}.bias"), &[tower_width], bias);
        }
        let attention = ["q_proj", "k_proj", "v_proj", "out_proj"]
            .map(|part| (format!("self_attn.{part}"), tower_width, tower_width));
        let mlp = [("mlp.fc1".to_owned(), tower_mlp, tower_width), ("mlp.fc2".to_owned(), tower_width, tower_mlp)];
        for (part, n, k) in attention.into_iter().chain(mlp) {
            add(format!("{layer}.{part}.weight"), &[n, k], matrix(k));
            add(format!("{layer}.{part}.bias"), &[n], bias);
        }
    }
    add(format!("{tower}.post_layernorm.weight"), &[tower_width], Fill::Constant(1.0));
    add(format!("{tower}.post_layernorm.bias"), &[tower_width], bias);
    add("multi_modal_projector.linear.weight".into(), &[width, tower_width], matrix(tower_width));
    add("multi_modal_projector.linear.bias".into(), &[width], bias);

    let decoder = "language_model.model";
    add(format!("{decoder}.embed_tokens.weight"), &[shape.vocabulary, width], Fill::Embedding);
    let heads = shape.heads * head_dim;
    for layer in 0..shape.layers {
        let layer = format!("{decoder}.layers.{layer}");
        for (part, n, k) in [
            ("self_attn.q_proj", heads, width),
            ("self_attn.k_proj", head_dim, width),
            ("self_attn.v_proj", head_dim, width),
            ("self_attn.o_proj", width, heads),
            ("mlp.gate_proj", mlp, width),
            ("mlp.up_proj", mlp, width),
            ("mlp.down_proj", width, mlp),
        ] {
            add(format!("{layer}.{part}.weight"), &[n, k], matrix(k));
        }
        // Gemma's norms multiply by 1 + w.
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            add(format!("{layer}.{norm}.weight"), &[width], Fill::Constant(0.0));
        }
    }
    add(format!("{decoder}.norm.weight"), &[width], Fill::Constant(0.0));
    all
}

fn write_weights(path: &Path, shape: &Shape) -> io::Result<()> {
    let tensors = tensors(shape);
    let mut header = Map::new();
    let mut end = 0;
    for tensor in &tensors {
        let start = end;
        end += tensor.shape.iter().product::<usize>() * size_of::<f16>();
        let entry = json!({ "dtype": "F16", "shape": tensor.shape, "data_offsets": [start, end] });
        header.insert(tensor.name.clone(), entry);
    }
    let mut header = Value::Object(header).to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    let mut random = Uniform(0x0ce1_1100_0000_0001);
    for tensor in &tensors {
        let row = tensor.shape.iter().skip(1).product::<usize>();
        for n in 0..tensor.shape[0] {
            for _ in 0..row {
                let value = match tensor.fill {
                    Fill::Random(deviation) => random.next() * deviation,
                    Fill::Embedding if n < SPECIALS.len() || n >= shape.image_token => 0.0,
                    Fill::Embedding => random.next() * (shape.width as f32).powf(-0.5),
                    Fill::Constant(value) => value,
                };
                out.write_all(&f16::from_f32(value).to_le_bytes())?;
            }
        }
    }
    out.flush()
}

/// Xorshift64 (Marsaglia 2003): the same weights everywhere.
struct Uniform(u64);

impl Uniform {
    /// Uniform with mean 0 and standard deviation 1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let unit = (self.0 >> 40) as f32 / (1u32 << 24) as f32;
        (2.0 * unit - 1.0) * 3.0f32.sqrt()
    }
}
