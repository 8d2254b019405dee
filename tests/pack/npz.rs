//! NumPy archives, and golden checkpoints as big_vision would have written them: layers stacked, most matrices the
//! other way round.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::below_tests;

/// An array of an archive.
#[derive(Clone)]
pub struct Array {
    pub descr: &'static str,
    pub shape: Vec<usize>,
    pub data: Vec<u8>,
}

pub type Arrays = BTreeMap<String, Array>;

impl Array {
    /// As `numpy.save` writes it.
    fn npy(&self) -> Vec<u8> {
        let shape: String = self.shape.iter().map(|extent| format!("{extent}, ")).collect();
        let mut header = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({shape}), }}", self.descr);
        while !(10 + header.len() + 1).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), &self.data].concat()
    }
}

/// As `numpy.savez` writes it.
pub fn archive(arrays: &Arrays) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(format!("{name}.npy"), options).expect("a member");
        zip.write_all(&array.npy()).expect("its bytes");
    }
    zip.finish().expect("an archive").into_inner()
}

/// Says of every member of an archive that it is deflated, as those of `numpy.savez_compressed` are.
pub fn deflated(mut archive: Vec<u8>) -> Vec<u8> {
    for (signature, method) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
        let places: Vec<usize> =
            archive.windows(4).enumerate().filter(|(_, w)| w == signature).map(|(n, _)| n).collect();
        places.into_iter().for_each(|place| archive[place + method] = 8);
    }
    archive
}

/// A tensor of the checkpoint.
pub struct Tensor {
    /// Elements of a row: all axes but the first.
    width: usize,
    element: usize,
    bytes: Vec<u8>,
}

impl Tensor {
    pub fn at(&self, row: usize, column: usize) -> &[u8] {
        &self.bytes[(row * self.width + column) * self.element..][..self.element]
    }
}

pub struct Golden {
    descr: &'static str,
    tensors: BTreeMap<String, Tensor>,
}

impl Golden {
    pub fn open(folder: &Path) -> Self {
        let (mut descr, mut tensors) = ("", BTreeMap::new());
        for entry in fs::read_dir(folder).expect("the golden is there") {
            let path = entry.expect("an entry").path();
            let file = path.file_name().expect("a name").to_string_lossy().into_owned();
            if !file.starts_with("model") || !file.ends_with(".safetensors") {
                continue;
            }
            let bytes = fs::read(&path).expect("it can be read");
            for (name, view) in safetensors::SafeTensors::deserialize(&bytes).expect("it is one").iter() {
                let element;
                (descr, element) = match view.dtype() {
                    safetensors::Dtype::F32 => ("<f4", 4),
                    safetensors::Dtype::F16 => ("<f2", 2),
                    safetensors::Dtype::BF16 => ("|V2", 2),
                    other => panic!("{other:?} is no float of a checkpoint"),
                };
                let width = view.shape()[1..].iter().product();
                tensors.insert(name.to_owned(), Tensor { width, element, bytes: view.data().to_vec() });
            }
        }
        Self { descr, tensors }
    }

    /// A tensor by its name.
    pub fn named(&self, name: &str) -> &Tensor {
        self.tensors.get(name).unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// The one tensor of a part of the model whose name ends so.
    fn tensor(&self, part: &str, leaf: &str) -> &Tensor {
        let mut found = self.tensors.iter().filter(|(name, _)| name.contains(part) && name.ends_with(leaf));
        let (_, tensor) = found.next().unwrap_or_else(|| panic!("{part} has no {leaf}"));
        assert!(found.next().is_none(), "{part} has several {leaf}");
        tensor
    }

    /// An array of this shape whose element at an index is that of `element`.
    pub fn array<'a>(&'a self, shape: &[usize], element: impl Fn(&[usize]) -> &'a [u8]) -> Array {
        let mut data = Vec::new();
        let mut index = vec![0; shape.len()];
        for mut n in 0..shape.iter().product() {
            for (place, extent) in index.iter_mut().zip(shape).rev() {
                *place = n % extent;
                n /= extent;
            }
            data.extend_from_slice(element(&index));
        }
        Array { descr: self.descr, shape: shape.into(), data }
    }
}

/// A golden checkpoint's weights under big_vision's names.
pub fn arrays(checkpoint: &str) -> Arrays {
    let folder = below_tests("goldens").join(checkpoint);
    let config: Value = serde_json::from_slice(&fs::read(folder.join("config.json")).expect("a config")).expect("JSON");
    let golden = Golden::open(&folder);
    let mut arrays = tower(&golden, &config["vision_config"]);
    arrays.append(&mut decoder(&golden, &config["text_config"]));
    let tower = size(&config["vision_config"], "hidden_size", 0);
    let width = size(&config["text_config"], "hidden_size", 0);
    let [kernel, bias] = ["weight", "bias"].map(|leaf| golden.tensor("multi_modal_projector", leaf));
    arrays.insert("params/img/head/kernel".into(), golden.array(&[tower, width], |i| kernel.at(i[1], i[0])));
    arrays.insert("params/img/head/bias".into(), golden.array(&[width], |i| bias.at(i[0], 0)));
    arrays
}

fn size(config: &Value, key: &str, default: usize) -> usize {
    config[key].as_u64().map_or(default, |n| n as usize)
}

fn tower(golden: &Golden, config: &Value) -> Arrays {
    let size = |key| size(config, key, 0);
    let (d, f, l, h) =
        (size("hidden_size"), size("intermediate_size"), size("num_hidden_layers"), size("num_attention_heads"));
    let (k, p, grid) = (d / h, size("patch_size"), size("image_size") / size("patch_size"));
    let tensor = |leaf: &str| golden.tensor("vision_tower", leaf);
    let layers = |leaf: &str| -> Vec<&Tensor> { (0..l).map(|i| tensor(&format!(".layers.{i}.{leaf}"))).collect() };
    let mut arrays = Arrays::new();
    let mut add = |name: &str, array: Array| arrays.insert(format!("params/img/{name}"), array);
    let patch = tensor("patch_embedding.weight");
    add("embedding/kernel", golden.array(&[p, p, 3, d], |i| patch.at(i[3], (i[2] * p + i[0]) * p + i[1])));
    let bias = tensor("patch_embedding.bias");
    add("embedding/bias", golden.array(&[d], |i| bias.at(i[0], 0)));
    let positions = tensor("position_embedding.weight");
    add("pos_embedding", golden.array(&[1, grid * grid, d], |i| positions.at(i[1], i[2])));
    for (name, leaf) in [("scale", "post_layernorm.weight"), ("bias", "post_layernorm.bias")] {
        let norm = tensor(leaf);
        add(&format!("Transformer/encoder_norm/{name}"), golden.array(&[d], |i| norm.at(i[0], 0)));
    }
    let mut block = |name: &str, array: Array| add(&format!("Transformer/encoderblock/{name}"), array);
    for (name, leaf) in [("0", "layer_norm1"), ("1", "layer_norm2")] {
        for (part, hf) in [("scale", "weight"), ("bias", "bias")] {
            let norm = layers(&format!("{leaf}.{hf}"));
            block(&format!("LayerNorm_{name}/{part}"), golden.array(&[l, d], |i| norm[i[0]].at(i[1], 0)));
        }
    }
    for (name, leaf) in [("query", "q_proj"), ("key", "k_proj"), ("value", "v_proj")] {
        let [kernel, bias] = ["weight", "bias"].map(|part| layers(&format!("self_attn.{leaf}.{part}")));
        let kernel = golden.array(&[l, d, h, k], |i| kernel[i[0]].at(i[2] * k + i[3], i[1]));
        block(&format!("MultiHeadDotProductAttention_0/{name}/kernel"), kernel);
        let bias = golden.array(&[l, h, k], |i| bias[i[0]].at(i[1] * k + i[2], 0));
        block(&format!("MultiHeadDotProductAttention_0/{name}/bias"), bias);
    }
    let [kernel, bias] = ["weight", "bias"].map(|part| layers(&format!("self_attn.out_proj.{part}")));
    let kernel = golden.array(&[l, h, k, d], |i| kernel[i[0]].at(i[3], i[1] * k + i[2]));
    block("MultiHeadDotProductAttention_0/out/kernel", kernel);
    block("MultiHeadDotProductAttention_0/out/bias", golden.array(&[l, d], |i| bias[i[0]].at(i[1], 0)));
    for (name, leaf, from, to) in [("Dense_0", "fc1", d, f), ("Dense_1", "fc2", f, d)] {
        let [kernel, bias] = ["weight", "bias"].map(|part| layers(&format!("mlp.{leaf}.{part}")));
        let kernel = golden.array(&[l, from, to], |i| kernel[i[0]].at(i[2], i[1]));
        block(&format!("MlpBlock_0/{name}/kernel"), kernel);
        block(&format!("MlpBlock_0/{name}/bias"), golden.array(&[l, to], |i| bias[i[0]].at(i[1], 0)));
    }
    arrays
}

fn decoder(golden: &Golden, config: &Value) -> Arrays {
    let size = |key, default| size(config, key, default);
    let (d, f, l) = (size("hidden_size", 0), size("intermediate_size", 0), size("num_hidden_layers", 0));
    let (n, g, h) = (size("num_attention_heads", 0), size("num_key_value_heads", 0), size("head_dim", 256));
    let tensor = |leaf: &str| golden.tensor("language_model", leaf);
    let layers =
        |leaf: &str| -> Vec<&Tensor> { (0..l).map(|i| tensor(&format!(".layers.{i}.{leaf}.weight"))).collect() };
    let mut arrays = Arrays::new();
    let mut add = |name: &str, array: Array| arrays.insert(format!("params/llm/{name}"), array);
    let table = tensor("embed_tokens.weight");
    add("embedder/input_embedding", golden.array(&[size("vocab_size", 0), d], |i| table.at(i[0], i[1])));
    let norm = tensor("model.norm.weight");
    add("final_norm/scale", golden.array(&[d], |i| norm.at(i[0], 0)));
    let query = layers("self_attn.q_proj");
    add("layers/attn/q_einsum/w", golden.array(&[l, n, d, h], |i| query[i[0]].at(i[1] * h + i[3], i[2])));
    let pair = ["self_attn.k_proj", "self_attn.v_proj"].map(layers);
    let pair = golden.array(&[l, 2, g, d, h], |i| pair[i[1]][i[0]].at(i[2] * h + i[4], i[3]));
    add("layers/attn/kv_einsum/w", pair);
    let out = layers("self_attn.o_proj");
    add("layers/attn/attn_vec_einsum/w", golden.array(&[l, n, h, d], |i| out[i[0]].at(i[3], i[1] * h + i[2])));
    let gating = ["mlp.gate_proj", "mlp.up_proj"].map(layers);
    add("layers/mlp/gating_einsum", golden.array(&[l, 2, d, f], |i| gating[i[1]][i[0]].at(i[3], i[2])));
    let down = layers("mlp.down_proj");
    add("layers/mlp/linear", golden.array(&[l, f, d], |i| down[i[0]].at(i[2], i[1])));
    let norms: &[(&str, &str)] = if config["model_type"] == "gemma2" {
        &[
            ("pre_attention_norm", "input_layernorm"),
            ("post_attention_norm", "post_attention_layernorm"),
            ("pre_ffw_norm", "pre_feedforward_layernorm"),
            ("post_ffw_norm", "post_feedforward_layernorm"),
        ]
    } else {
        &[("pre_attention_norm", "input_layernorm"), ("pre_ffw_norm", "post_attention_layernorm")]
    };
    for (name, leaf) in norms {
        let norm = layers(leaf);
        add(&format!("layers/{name}/scale"), golden.array(&[l, d], |i| norm[i[0]].at(i[1], 0)));
    }
    arrays
}
