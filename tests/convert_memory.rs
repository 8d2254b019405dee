//! What a conversion holds at a time does not grow with the model. A program of its own, whose memory is that of the
//! conversion alone.

#![cfg(target_os = "linux")]

#[path = "common/root.rs"]
mod root;
#[path = "common/scratch.rs"]
mod scratch;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use ocelli::format::Directory;
use ocelli::tasks::{ConvertOptions, Dtype, convert};
use root::root;
use scratch::scratch;
use serde_json::{Map, Value, json};

/// Counts what is allocated: the exact peak, where samples of the resident memory may miss it.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is the system allocator's; only numbers are added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(HELD.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const WIDTH: usize = 512;
const MLP: usize = 4096;
const VOCABULARY: usize = 4096;
const LAYERS: usize = 6;
/// The gate of a layer, or the table.
const LARGEST: usize = MLP * WIDTH * 4;
/// Code, tokenizer, names, and what the runtime has from the start.
const CONSTANT: usize = 12 << 20;

/// A checkpoint of zeros that takes no room on the disk: 6 layers, 180 MB.
fn sparse_source(folder: &Path) -> usize {
    let golden = root().join("tests/goldens/pg1-hd16");
    fs::create_dir_all(folder).expect("the folder is made");
    fs::copy(golden.join("tokenizer.json"), folder.join("tokenizer.json")).expect("it is copied");
    let text = fs::read(golden.join("config.json")).expect("a config");
    let mut config: Value = serde_json::from_slice(&text).expect("JSON");
    let decoder = &mut config["text_config"];
    for (key, value) in [
        ("hidden_size", WIDTH),
        ("intermediate_size", MLP),
        ("num_hidden_layers", LAYERS),
        ("num_attention_heads", 2),
        ("head_dim", 256),
        ("vocab_size", VOCABULARY),
    ] {
        decoder[key] = value.into();
    }
    fs::write(folder.join("config.json"), config.to_string()).expect("it is written");

    let mut tensors = tower();
    let decoder = "language_model.model";
    tensors.push((format!("{decoder}.embed_tokens.weight"), vec![VOCABULARY, WIDTH]));
    tensors.push((format!("{decoder}.norm.weight"), vec![WIDTH]));
    for layer in 0..LAYERS {
        for (leaf, shape) in [
            ("self_attn.q_proj", vec![512, WIDTH]),
            ("self_attn.k_proj", vec![256, WIDTH]),
            ("self_attn.v_proj", vec![256, WIDTH]),
            ("self_attn.o_proj", vec![WIDTH, 512]),
            ("mlp.gate_proj", vec![MLP, WIDTH]),
            ("mlp.up_proj", vec![MLP, WIDTH]),
            ("mlp.down_proj", vec![WIDTH, MLP]),
            ("input_layernorm", vec![WIDTH]),
            ("post_attention_layernorm", vec![WIDTH]),
        ] {
            tensors.push((format!("{decoder}.layers.{layer}.{leaf}.weight"), shape));
        }
    }
    let (mut header, mut end) = (Map::new(), 0);
    for (name, shape) in tensors {
        let start = end;
        end += shape.iter().product::<usize>() * 4;
        header.insert(name, json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, end] }));
    }
    let header = Value::Object(header).to_string();
    let mut file = File::create(folder.join("model.safetensors")).expect("it is made");
    file.write_all(&(header.len() as u64).to_le_bytes()).expect("it is written");
    file.write_all(header.as_bytes()).expect("it is written");
    file.set_len((8 + header.len() + end) as u64).expect("it is lengthened");
    end
}

/// The tower of the golden checkpoint: 2 layers, 64 wide.
fn tower() -> Vec<(String, Vec<usize>)> {
    let tower = "vision_tower.vision_model";
    let mut tensors = vec![
        (format!("{tower}.embeddings.patch_embedding.weight"), vec![64, 3, 14, 14]),
        (format!("{tower}.embeddings.patch_embedding.bias"), vec![64]),
        (format!("{tower}.embeddings.position_embedding.weight"), vec![16, 64]),
        (format!("{tower}.post_layernorm.weight"), vec![64]),
        (format!("{tower}.post_layernorm.bias"), vec![64]),
        ("multi_modal_projector.linear.weight".into(), vec![WIDTH, 64]),
        ("multi_modal_projector.linear.bias".into(), vec![WIDTH]),
    ];
    for layer in 0..2 {
        for (leaf, weight) in [
            ("layer_norm1", vec![64]),
            ("layer_norm2", vec![64]),
            ("self_attn.q_proj", vec![64, 64]),
            ("self_attn.k_proj", vec![64, 64]),
            ("self_attn.v_proj", vec![64, 64]),
            ("self_attn.out_proj", vec![64, 64]),
            ("mlp.fc1", vec![72, 64]),
            ("mlp.fc2", vec![64, 72]),
        ] {
            tensors.push((format!("{tower}.encoder.layers.{layer}.{leaf}.bias"), vec![weight[0]]));
            tensors.push((format!("{tower}.encoder.layers.{layer}.{leaf}.weight"), weight));
        }
    }
    tensors
}

/// Bytes of this process that lie in memory and belong to no file: mapped weights are the page cache's.
fn anonymous_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("the process can be read");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line of it");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

#[test]
fn a_conversion_holds_at_most_twice_the_largest_tensor() {
    let root = scratch("convert-memory");
    let _ = fs::remove_dir_all(&root);
    let bytes = sparse_source(&root.join("source"));
    assert!(bytes > 20 * LARGEST, "{bytes} bytes do not tell a part from the whole");

    let done = Arc::new(AtomicBool::new(false));
    let watch = {
        let done = done.clone();
        std::thread::spawn(move || {
            let mut peak = 0;
            while !done.load(Relaxed) {
                peak = peak.max(anonymous_bytes());
                std::thread::sleep(Duration::from_millis(2));
            }
            peak
        })
    };
    let options = ConvertOptions { dtype: Dtype::Q8, shard_bytes: 16 << 20, keep_f16: Vec::new(), preset: None };
    let source = Directory::open(root.join("source")).expect("it opens");
    PEAK.store(HELD.load(Relaxed), Relaxed);
    convert(&source, &root.join("pack"), &options, &mut |_| Ok(())).expect("it converts");
    let allocated = PEAK.load(Relaxed);
    done.store(true, Relaxed);
    let resident = watch.join().expect("the watch ends");
    println!("peak: {allocated} bytes allocated, {resident} anonymous and resident; largest tensor {LARGEST}");
    let most = 2 * LARGEST + CONSTANT;
    assert!(allocated <= most, "{allocated} bytes were allocated at a time, expected at most {most}");
    assert!(resident <= most, "{resident} bytes were resident at a time, expected at most {most}");
    fs::remove_dir_all(&root).expect("it goes");
}
