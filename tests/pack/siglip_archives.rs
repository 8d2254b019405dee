//! big_vision's archives of SigLIP hold the same weights as Hugging Face's checkpoints.

use ocelli::base::Error;
use ocelli::format::{Checkpoint, Directory, MemoryFiles, ModelFiles, read_json};
use ocelli::models::{self, Architecture};
use ocelli::session::encode;
use ocelli::tensor::Dtype;
use serde_json::Value;

use super::below_tests;
use super::npz::{Arrays, Golden, archive};

/// A tower's sizes.
struct Sizes {
    layers: usize,
    width: usize,
    heads: usize,
    mlp: usize,
}

impl Sizes {
    fn of(config: &Value) -> Self {
        let size = |key: &str| config[key].as_u64().expect("a size") as usize;
        Self {
            layers: size("num_hidden_layers"),
            width: size("hidden_size"),
            heads: size("num_attention_heads"),
            mlp: size("intermediate_size"),
        }
    }
}

/// How an array lies: a vector, one of heads, a matrix the other way round, into heads, out of heads.
#[derive(Clone, Copy)]
enum Lies {
    Vector,
    Heads,
    Dense,
    Into,
    OutOf,
}

/// A block's arrays by their name here and there.
const BLOCK: [(&str, &str, Lies); 16] = [
    ("LayerNorm_0/scale", "layer_norm1.weight", Lies::Vector),
    ("LayerNorm_0/bias", "layer_norm1.bias", Lies::Vector),
    ("LayerNorm_1/scale", "layer_norm2.weight", Lies::Vector),
    ("LayerNorm_1/bias", "layer_norm2.bias", Lies::Vector),
    ("MultiHeadDotProductAttention_0/query/kernel", "self_attn.q_proj.weight", Lies::Into),
    ("MultiHeadDotProductAttention_0/query/bias", "self_attn.q_proj.bias", Lies::Heads),
    ("MultiHeadDotProductAttention_0/key/kernel", "self_attn.k_proj.weight", Lies::Into),
    ("MultiHeadDotProductAttention_0/key/bias", "self_attn.k_proj.bias", Lies::Heads),
    ("MultiHeadDotProductAttention_0/value/kernel", "self_attn.v_proj.weight", Lies::Into),
    ("MultiHeadDotProductAttention_0/value/bias", "self_attn.v_proj.bias", Lies::Heads),
    ("MultiHeadDotProductAttention_0/out/kernel", "self_attn.out_proj.weight", Lies::OutOf),
    ("MultiHeadDotProductAttention_0/out/bias", "self_attn.out_proj.bias", Lies::Vector),
    ("MlpBlock_0/Dense_0/kernel", "mlp.fc1.weight", Lies::Dense),
    ("MlpBlock_0/Dense_0/bias", "mlp.fc1.bias", Lies::Vector),
    ("MlpBlock_0/Dense_1/kernel", "mlp.fc2.weight", Lies::Dense),
    ("MlpBlock_0/Dense_1/bias", "mlp.fc2.bias", Lies::Vector),
];

/// The pooling head's.
const POOL: [(&str, &str, Lies); 8] = [
    ("MultiHeadDotProductAttention_0/out/kernel", "attention.out_proj.weight", Lies::OutOf),
    ("MultiHeadDotProductAttention_0/out/bias", "attention.out_proj.bias", Lies::Vector),
    ("LayerNorm_0/scale", "layernorm.weight", Lies::Vector),
    ("LayerNorm_0/bias", "layernorm.bias", Lies::Vector),
    ("MlpBlock_0/Dense_0/kernel", "mlp.fc1.weight", Lies::Dense),
    ("MlpBlock_0/Dense_0/bias", "mlp.fc1.bias", Lies::Vector),
    ("MlpBlock_0/Dense_1/kernel", "mlp.fc2.weight", Lies::Dense),
    ("MlpBlock_0/Dense_1/bias", "mlp.fc2.bias", Lies::Vector),
];

impl Lies {
    /// The array's shape, of a layer whose name tells its width.
    fn shape(self, sizes: &Sizes, name: &str) -> Vec<usize> {
        let Sizes { width: d, heads: h, mlp: f, .. } = *sizes;
        match self {
            Self::Vector if name.contains("Dense_0") => vec![f],
            Self::Vector => vec![d],
            Self::Heads => vec![h, d / h],
            Self::Dense if name.contains("Dense_0") => vec![d, f],
            Self::Dense => vec![f, d],
            Self::Into => vec![d, h, d / h],
            Self::OutOf => vec![h, d / h, d],
        }
    }

    /// Row and column in Hugging Face's tensor, whose first rows are left out.
    fn place(self, i: &[usize], head: usize, first: usize) -> (usize, usize) {
        match self {
            Self::Vector => (first + i[0], 0),
            Self::Heads => (first + i[0] * head + i[1], 0),
            Self::Dense => (first + i[1], i[0]),
            Self::Into => (first + i[1] * head + i[2], i[0]),
            Self::OutOf => (first + i[2], i[0] * head + i[1]),
        }
    }
}

fn blocks(golden: &Golden, sizes: &Sizes, theirs: &str, ours: &str, stacked: bool, arrays: &mut Arrays) {
    let head = sizes.width / sizes.heads;
    for (name, leaf, lies) in BLOCK {
        let tensor = |layer: usize| golden.named(&format!("{theirs}.{layer}.{leaf}"));
        let shape = lies.shape(sizes, name);
        if stacked {
            let array = golden.array(&[&[sizes.layers][..], &shape].concat(), |i| {
                let (row, column) = lies.place(&i[1..], head, 0);
                tensor(i[0]).at(row, column)
            });
            arrays.insert(format!("params/{ours}/{name}"), array);
            continue;
        }
        for layer in 0..sizes.layers {
            let array = golden.array(&shape, |i| {
                let (row, column) = lies.place(i, head, 0);
                tensor(layer).at(row, column)
            });
            arrays.insert(format!("params/{ours}_{layer}/{name}"), array);
        }
    }
}

fn pool(golden: &Golden, sizes: &Sizes, arrays: &mut Arrays) {
    let (d, head) = (sizes.width, sizes.width / sizes.heads);
    let mut add = |name: &str, shape: &[usize], tensor: &str, lies: Lies, first: usize| {
        let tensor = golden.named(&format!("vision_model.head.{tensor}"));
        let array = golden.array(shape, |i| {
            let (row, column) = lies.place(i, head, first);
            tensor.at(row, column)
        });
        arrays.insert(format!("params/img/MAPHead_0/{name}"), array);
    };
    for (name, tensor, lies) in POOL {
        add(name, &lies.shape(sizes, name), tensor, lies, 0);
    }
    for (n, part) in ["query", "key", "value"].into_iter().enumerate() {
        for (leaf, tensor, lies) in [("kernel", "in_proj_weight", Lies::Into), ("bias", "in_proj_bias", Lies::Heads)] {
            let name = format!("MultiHeadDotProductAttention_0/{part}/{leaf}");
            add(&name, &lies.shape(sizes, &name), &format!("attention.{tensor}"), lies, n * d);
        }
    }
    let probe = golden.named("vision_model.head.probe");
    arrays.insert("params/img/MAPHead_0/probe".into(), golden.array(&[1, 1, d], |i| probe.at(0, i[2])));
}

/// A golden checkpoint's weights under big_vision's names.
fn arrays(checkpoint: &str, stacked: bool) -> Arrays {
    let folder = below_tests("goldens").join(checkpoint);
    let config = read_json(&Directory::open(&folder).expect("it opens"), "config.json").expect("it is JSON");
    let (golden, mut arrays) = (Golden::open(&folder), Arrays::new());
    let (image, text) = (Sizes::of(&config["vision_config"]), Sizes::of(&config["text_config"]));
    blocks(&golden, &image, "vision_model.encoder.layers", "img/Transformer/encoderblock", stacked, &mut arrays);
    blocks(&golden, &text, "text_model.encoder.layers", "txt/Encoder_0/encoderblock", stacked, &mut arrays);
    pool(&golden, &image, &mut arrays);
    let mut vector = |name: &str, tensor: &str, count: usize| {
        let tensor = golden.named(tensor);
        arrays.insert(format!("params/{name}"), golden.array(&[count], |i| tensor.at(i[0], 0)));
    };
    let (e, d) = (image.width, text.width);
    vector("img/embedding/bias", "vision_model.embeddings.patch_embedding.bias", e);
    vector("img/Transformer/encoder_norm/scale", "vision_model.post_layernorm.weight", e);
    vector("img/Transformer/encoder_norm/bias", "vision_model.post_layernorm.bias", e);
    vector("txt/Encoder_0/encoder_norm/scale", "text_model.final_layer_norm.weight", d);
    vector("txt/Encoder_0/encoder_norm/bias", "text_model.final_layer_norm.bias", d);
    let size = |part: &str, key: &str| config[part][key].as_u64().map(|n| n as usize);
    let o = size("text_config", "projection_size").expect("it is there");
    vector("txt/head/bias", "text_model.head.bias", o);
    vector("t", "logit_scale", 1);
    vector("b", "logit_bias", 1);
    let mut add = |name: &str, array| arrays.insert(format!("params/{name}"), array);
    let head = golden.named("text_model.head.weight");
    add("txt/head/kernel", golden.array(&[d, o], |i| head.at(i[1], i[0])));
    let (table, ids) =
        (golden.named("text_model.embeddings.token_embedding.weight"), size("text_config", "vocab_size"));
    add("txt/Embed_0/embedding", golden.array(&[ids.expect("it is there"), d], |i| table.at(i[0], i[1])));
    let places = golden.named("text_model.embeddings.position_embedding.weight");
    let length = size("text_config", "max_position_embeddings").expect("it is there");
    add("txt/pos_embedding", golden.array(&[1, length, d], |i| places.at(i[1], i[2])));
    let patch = golden.named("vision_model.embeddings.patch_embedding.weight");
    let places = golden.named("vision_model.embeddings.position_embedding.weight");
    let p = size("vision_config", "patch_size").expect("it is there");
    match size("vision_config", "num_patches") {
        Some(positions) => {
            let side = positions.isqrt();
            add("img/embedding/kernel", golden.array(&[3 * p * p, e], |i| patch.at(i[1], i[0])));
            add("img/pos_embedding", golden.array(&[side, side, e], |i| places.at(i[0] * side + i[1], i[2])));
        }
        None => {
            let grid = size("vision_config", "image_size").expect("it is there") / p;
            let at = |i: &[usize]| patch.at(i[3], (i[2] * p + i[0]) * p + i[1]);
            add("img/embedding/kernel", golden.array(&[p, p, 3, e], at));
            add("img/pos_embedding", golden.array(&[1, grid * grid, e], |i| places.at(i[1], i[2])));
        }
    }
    arrays
}

fn files(arrays: &Arrays) -> MemoryFiles {
    let mut files = MemoryFiles::new();
    files.insert("weights.npz", archive(arrays));
    files
}

fn open(files: &dyn ModelFiles) -> Result<Box<dyn Architecture>, Error> {
    models::open(&models::config_json(files, None)?.0)
}

/// Every weight as a device holds it in f32.
fn weights(architecture: &dyn Architecture, files: &dyn ModelFiles) -> Vec<(String, Vec<u8>)> {
    let checkpoint = Checkpoint::open(files, &architecture.checkpoint_rules()).expect("it opens");
    let specs = models::weight_specs(architecture, &architecture.parts()).expect("the graphs can be built");
    let weight = |spec: &_| encode(spec, 0..spec.rows, Dtype::F32, &checkpoint).expect("it is there").0;
    specs.iter().map(|spec| (spec.name.clone(), weight(spec))).collect()
}

#[test]
fn they_hold_the_weights_of_hugging_faces_checkpoints() {
    for checkpoint in ["siglip-1", "siglip-naflex"] {
        let published = Directory::open(below_tests("goldens").join(checkpoint)).expect("it opens");
        let architecture = open(&published).expect("it is known");
        let expected = weights(architecture.as_ref(), &published);
        for stacked in [false, true] {
            let files = files(&arrays(checkpoint, stacked));
            // Its own configuration drops the pixels that are never read: the picture is a little smaller.
            let own = open(&files).expect("its shapes tell it");
            for architecture in [own.as_ref(), architecture.as_ref()] {
                assert!(weights(architecture, &files) == expected, "{checkpoint}, stacked: {stacked}");
            }
        }
    }
}

#[test]
fn what_they_lack_or_have_besides_is_told() {
    let mut headless = arrays("siglip-1", true);
    headless.retain(|name, _| !name.starts_with("params/txt/head"));
    let architecture = open(&files(&headless)).expect("a SigLIP may have no text head");
    assert_eq!(architecture.encoders().text.expect("it reads").embedding, 40);
    let good = arrays("siglip-1", false);
    let refused = |name: &str, change: &dyn Fn(&mut Arrays)| {
        let mut arrays = good.clone();
        change(&mut arrays);
        let error = open(&files(&arrays)).err().unwrap_or_else(|| panic!("{name} is refused")).to_string();
        assert!(error.contains(name), "{name:?} was expected in {error}");
    };
    refused("params/txt/Encoder_0/pos_embedding is there", &|arrays| {
        let table = arrays["params/txt/pos_embedding"].clone();
        arrays.insert("params/txt/Encoder_0/pos_embedding".into(), table);
    });
    refused("params/img/MAPHead_0/probe is missing", &|arrays| {
        arrays.remove("params/img/MAPHead_0/probe");
    });
    // The last block of an encoder lacks an array that the others have.
    refused("the layers of img/Transformer/encoderblock/LayerNorm_1/scale is 1", &|arrays| {
        arrays.remove("params/img/Transformer/encoderblock_1/LayerNorm_1/scale");
    });
    refused("encoderblock/LayerNorm_1/bias is missing", &|arrays| {
        arrays.remove("params/img/Transformer/encoderblock_0/LayerNorm_1/bias");
    });
}
