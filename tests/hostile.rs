//! Files from strangers: thousands of damaged ones, always the same, and none may cause a panic, a hang, or more memory
//! than is stated here. `tests/fuzz` has a fuzzer search on with the same bodies.

#[path = "hostile/bodies.rs"]
mod bodies;
#[path = "hostile/memory.rs"]
mod memory;
#[path = "hostile/mutate.rs"]
mod mutate;
#[path = "common/random.rs"]
mod random;
#[path = "common/root.rs"]
mod root;

use std::fs;
use std::io::{Cursor, Write};
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use ocelli::base::ErrorKind;
use ocelli::format::pack::Manifest;
use ocelli::session::{CpuPlayer, Loader, Player};
use ocelli::tasks::Rgb8;
use ocelli::text::Tokenizer;
use pollster::block_on;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use memory::Counting;
use random::Random;
use root::root;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MIB: usize = 1 << 20;
/// Far above what any case takes on a busy machine, far below a hang.
const LONGEST: Duration = Duration::from_secs(30);

/// Most bytes that a body may hold at once: some whatever the input, and some times the input's length.
struct Bound {
    fixed: usize,
    times: usize,
}

/// Feeds a body with damaged seeds.
fn feed(name: &str, seeds: &[Vec<u8>], cases: usize, bound: &Bound, body: fn(&[u8]) -> bool) {
    let mut random = Random::new(name);
    for seed in seeds {
        assert!(body(seed), "{name}: an undamaged seed was refused");
    }
    let mut accepted = 0;
    for case in 0..cases {
        let bytes = mutate::damaged(&mut random, seeds);
        let begun = Instant::now();
        let (outcome, peak) = memory::peak_of(|| catch_unwind(|| body(&bytes)));
        let most = bound.fixed + bound.times * bytes.len();
        let Ok(fine) = outcome else { panic!("{name}, case {case}: it panicked on {} bytes", bytes.len()) };
        accepted += usize::from(fine);
        assert!(peak <= most, "{name}, case {case}: {peak} bytes were held for {}, at most {most}", bytes.len());
        assert!(begun.elapsed() < LONGEST, "{name}, case {case}: it took {:?}", begun.elapsed());
    }
    // Damage that is always noticed at once would not get deep.
    assert!(accepted > 0 && accepted < cases, "{name}: {accepted} of {cases} were accepted");
    println!("{name}: {accepted} of {cases} were accepted");
}

fn golden(path: &str) -> Vec<u8> {
    let path = root().join(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The embedded model's manifest, as if each of its parts had a shard of its own.
fn of_format_2() -> Vec<u8> {
    let mut json: serde_json::Value =
        serde_json::from_slice(&golden("web/models/tiny/ocelli.json")).expect("a manifest");
    let shard = json["shards"][0].take();
    let parts = ["vision", "decoder", "mask_decoder"].map(|name| {
        let mut shard = shard.clone();
        shard["file"] = format!("{name}.safetensors").into();
        serde_json::json!({"name": name, "shards": [shard]})
    });
    json["format"] = 2.into();
    json["architecture"] = "paligemma".into();
    json["parts"] = parts.into_iter().collect();
    json.to_string().into_bytes()
}

#[test]
fn manifests() {
    let seeds = [golden("web/models/tiny/ocelli.json"), of_format_2()];
    // 2,048 blocks of at most 16 weights, each with its names.
    feed("manifests", &seeds, 4000, &Bound { fixed: 64 * MIB, times: 32 }, bodies::manifest);
}

#[test]
fn configurations() {
    let seeds = [
        "pg1-hd16",
        "pg1-hd72",
        "pg2-gqa",
        "pg2-cap5",
        "siglip-1",
        "siglip-naflex",
        "siglip-classifier",
        "vit-hf",
        "vit-timm-token",
        "vit-timm-scale",
    ];
    let seeds = seeds.map(|name| golden(&format!("tests/goldens/{name}/config.json")));
    // 65,536 labels without names.
    feed("configurations", &seeds, 8000, &Bound { fixed: 8 * MIB, times: 32 }, bodies::config);
}

#[test]
fn processors() {
    let timm = br#"{"input_size":[3,44,44],"interpolation":"bicubic","crop_pct":0.9,"crop_mode":"center","mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}"#;
    let cropped =
        br#"{"do_center_crop":true,"size":{"shortest_edge":50},"crop_size":{"height":44,"width":44},"resample":3}"#;
    let named = ["siglip-1", "siglip-naflex"];
    let named = named.map(|name| golden(&format!("tests/goldens/{name}/preprocessor_config.json")));
    let seeds: Vec<_> = named.into_iter().chain([timm.to_vec(), cropped.to_vec()]).collect();
    // A side of 16,384 patches.
    feed("processors", &seeds, 4000, &Bound { fixed: 64 * MIB, times: 32 }, bodies::processor);
}

#[test]
fn safetensors() {
    let header = br#"{"a.data":{"dtype":"I8","shape":[2,32],"data_offsets":[0,64]},"a.scales":{"dtype":"F16","shape":[2,1],"data_offsets":[64,68]},"b@2":{"dtype":"F32","shape":[1,4],"data_offsets":[68,84]}}"#;
    let shard = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 84]].concat();
    let seeds = [golden("tests/goldens/mask_decoder/golden.safetensors"), shard];
    feed("safetensors", &seeds, 4000, &Bound { fixed: MIB, times: 32 }, bodies::safetensors);
}

#[test]
fn archives() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, shape, count) in [("decoder.0.weight.npy", "(2, 3)", 6), ("decoder.0.bias.npy", "(2,)", 2)] {
        zip.start_file(name, stored).expect("a member");
        let header = format!("{:<117}\n", format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"));
        let array = [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
        zip.write_all(&[array, vec![0; 4 * count]].concat()).expect("its bytes");
    }
    let seeds = [zip.finish().expect("an archive").into_inner()];
    feed("archives", &seeds, 4000, &Bound { fixed: MIB, times: 64 }, bodies::npz);
}

/// The golden Unigram of many scripts with a charsmap that writes `a` for `A`.
fn unigram() -> Vec<u8> {
    let mut units = vec![0_u32; 512];
    units[0] = 256 << 10;
    // The letter, that a known text ends with it, and the way from here to its value.
    units[256 ^ 0x41] = 0x41 | 0x100 | 0x41 << 10;
    units[256] = 1 << 31;
    let bytes: Vec<u8> = [2048].iter().chain(&units).flat_map(|unit| unit.to_le_bytes()).chain(*b"a\0").collect();
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let bits = bytes.iter().fold(0, |bits, &byte| bits << 8 | u32::from(byte)) << (24 - 8 * bytes.len());
        let letter =
            |n: usize| if n > bytes.len() { '=' } else { char::from(letters[(bits >> (18 - 6 * n)) as usize % 64]) };
        (0..4).map(letter).collect::<String>()
    };
    let mut json: serde_json::Value =
        serde_json::from_slice(&golden("tests/goldens/tokenizer-unigram/mt5.tokenizer.json")).expect("a tokenizer");
    json["normalizer"]["normalizers"][0]["precompiled_charsmap"] =
        bytes.chunks(3).map(group).collect::<String>().into();
    json.to_string().into_bytes()
}

#[test]
fn tokenizers() {
    let seeds = [golden("tests/goldens/pg1-hd16/tokenizer.json"), unigram()];
    feed("tokenizers", &seeds, 2000, &Bound { fixed: 16 * MIB, times: 64 }, bodies::tokenizer);
}

#[test]
fn compact_tokenizers() {
    let compact = |json: &[u8]| Tokenizer::load(json).expect("a tokenizer").compact(&[0; 32]).expect("a compact form");
    let seeds = [compact(&golden("tests/goldens/pg1-hd16/tokenizer.json")), compact(&unigram())];
    feed("compact tokenizers", &seeds, 4000, &Bound { fixed: MIB, times: 128 }, bodies::compact_tokenizer);
}

#[test]
fn pictures() {
    let names =
        ["astronaut-grey.png", "cat-small.bmp", "cat-small.gif", "cat-small.webp", "cat.jpg", "rocket-exif6.jpg"];
    let seeds = names.map(|name| golden(&format!("tests/pictures/{name}")));
    feed("pictures", &seeds, 2000, &Bound { fixed: 16 * Rgb8::MAX_PIXELS, times: 64 }, bodies::picture);
}

#[test]
fn marks() {
    let seeds = [
        "<loc0100><loc0200><loc0300><loc0400> cat ; <loc0001><loc0002><loc1003><loc1004> a dog",
        "<loc0100><loc0200><loc0300><loc0400><seg000><seg001><seg002><seg003><seg004><seg005><seg006><seg007><seg008><seg009><seg010><seg011><seg012><seg013><seg014><seg127> cat",
    ];
    feed(
        "marks",
        &seeds.map(|text| text.as_bytes().to_vec()),
        4000,
        &Bound { fixed: 4 * MIB, times: 1024 },
        bodies::marks,
    );
}

#[test]
fn weights_that_cannot_come_take_no_memory() {
    let mut json: serde_json::Value =
        serde_json::from_slice(&golden("web/models/tiny/ocelli.json")).expect("a manifest");
    json["config"]["text_config"]["vocab_size"] = (1 << 24).into();
    let manifest = Manifest::parse(json.to_string().as_bytes()).expect("it is well-formed");
    let player = Player::Cpu(Box::new(CpuPlayer::new()));
    let (loaded, peak) = memory::peak_of(|| block_on(Loader::of_pack(player, &manifest, true)).err());
    let error = loaded.expect("the shards hold far less");
    assert_eq!(error.kind(), ErrorKind::BadModelFile, "{error}");
    assert!(error.to_string().contains("the length of all shards of vision, decoder, mask_decoder is"), "{error}");
    assert!(peak < 16 * MIB, "{peak} bytes were held");
}
