//! What is done with hostile bytes: one body a parser. Each says whether the bytes were accepted; either is right, as
//! long as it returns.

use std::sync::OnceLock;

use ocelli::base::Fields;
use ocelli::format::pack::{Manifest, read_shard};
use ocelli::format::{Checkpoint, MemoryFiles, tensors_of};
use ocelli::image::{Filter, ImageError, Preprocessor, Rgb8};
use ocelli::models;
use ocelli::models::paligemma::{CHECKPOINT, PaliGemmaConfig, PromptTokens, SpecialIds, load_tokenizer, objects};
use ocelli::session::PackCheck;
use ocelli::tasks::decode_picture;
use ocelli::text::Tokenizer;

const CONFIG: &[u8] = include_bytes!("../goldens/pg1-hd16/config.json");
const TOKENIZER: &[u8] = include_bytes!("../goldens/pg1-hd16/tokenizer.json");

/// An `ocelli.json`, up to the book of weights that it promises.
pub fn manifest(bytes: &[u8]) -> bool {
    Manifest::parse(bytes).and_then(|manifest| PackCheck::new(&manifest)).is_ok()
}

/// A `config.json`, of any architecture; an encoder's pictures are prepared, too.
pub fn config(bytes: &[u8]) -> bool {
    let Ok(json) = serde_json::from_slice(bytes) else { return false };
    let Ok(architecture) = models::open(&json) else { return false };
    let encoders = architecture.encoders();
    encoders.image.is_none_or(|_| architecture.preprocessor(None).is_ok()) && !architecture.report().is_empty()
}

/// A `preprocessor_config.json`, and a picture that is prepared as it says.
pub fn processor(bytes: &[u8]) -> bool {
    let Ok(json) = serde_json::from_slice(bytes) else { return false };
    let timm = Fields::of("config.json", &json).is_ok_and(|fields| prepares(Preprocessor::from_timm(&fields, 44)));
    let square = prepares(Preprocessor::square(Some(&json), 44, Filter::Bicubic));
    prepares(Preprocessor::patches(Some(&json), 4, 16)) | square | timm
}

fn prepares(preprocessor: Result<Preprocessor, ImageError>) -> bool {
    let picture = Rgb8::new(7, 90, vec![9; 7 * 90 * 3]).expect("a picture");
    preprocessor.is_ok_and(|preprocessor| {
        let [height, width] = preprocessor.target(&picture);
        preprocessor.apply(&picture).len() == height * width * 3
    })
}

/// A safetensors file, as a checkpoint's and as a pack's.
pub fn safetensors(bytes: &[u8]) -> bool {
    let held = tensors_of("file", bytes).map(|tensors| tensors.map(|tensor| tensor.bytes).sum::<usize>());
    assert!(*held.as_ref().unwrap_or(&0) <= bytes.len());
    read_shard("file", bytes, &mut |_| Ok(())).is_ok() || held.is_ok()
}

/// An archive of NumPy arrays, beside an empty checkpoint.
pub fn npz(bytes: &[u8]) -> bool {
    let mut files = MemoryFiles::new();
    files.insert("model.safetensors", [&2u64.to_le_bytes()[..], b"{}"].concat());
    files.insert("vae-oid.npz", bytes.to_vec());
    let Ok(checkpoint) = Checkpoint::open(&files, &CHECKPOINT) else { return false };
    // That is how a checkpoint calls what lies in this file.
    let names = checkpoint.tensors().map(|tensor| format!("mask_decoder.{}", tensor.name));
    names.filter(|name| checkpoint.read_rows(name, 0..1, &mut Vec::new()).is_err()).count() == 0
}

/// A `tokenizer.json`, a text that goes through it, and its compact form.
pub fn tokenizer(bytes: &[u8]) -> bool {
    let Ok(tokenizer) = Tokenizer::load(bytes) else { return false };
    if let Ok(compact) = tokenizer.compact(&[0; 32]) {
        let again = Tokenizer::load(&compact).expect("the compact form of what works");
        assert_eq!(again.encode(TEXT), tokenizer.encode(TEXT));
    }
    used(&tokenizer)
}

/// A compact form, whose checksum is made right.
pub fn compact_tokenizer(bytes: &[u8]) -> bool {
    let mut bytes = bytes.to_vec();
    if bytes.len() > 20 {
        let sum = bytes[20..]
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        bytes[12..20].copy_from_slice(&sum.to_le_bytes());
    }
    Tokenizer::load(&bytes).is_ok_and(|tokenizer| used(&tokenizer))
}

const TEXT: &str = "detect a cat ; Ünïcode <loc0001><seg127> 猫 </s>  ™\u{301} ﬁn\u{0}\r\n";

/// Puts a text through a tokenizer and back.
fn used(tokenizer: &Tokenizer) -> bool {
    let ids = tokenizer.encode(TEXT);
    tokenizer.decode(&(0..40).collect::<Vec<u32>>());
    !tokenizer.decode(&ids).is_empty()
}

/// A picture's file.
pub fn picture(bytes: &[u8]) -> bool {
    decode_picture(bytes, "picture").is_ok_and(|picture| picture.width() > 0 && picture.height() > 0)
}

/// An answer's text; whether boxes are in it.
pub fn marks(bytes: &[u8]) -> bool {
    static KNOWN: OnceLock<(Tokenizer, PromptTokens)> = OnceLock::new();
    let (tokenizer, known) = KNOWN.get_or_init(|| load_tokenizer(TOKENIZER, special()).expect("the golden tokenizer"));
    let tokens = tokenizer.encode(&String::from_utf8_lossy(bytes));
    let logprobs: Vec<f32> = tokens.iter().map(|&token| -(token as f32)).collect();
    let found = objects(tokenizer, &known.objects, &tokens, &logprobs, [640, 480]).objects;
    for object in &found {
        let bounds = object.bounds;
        assert!(0.0 <= bounds.xmin && bounds.xmin < bounds.xmax && bounds.xmax <= 640.0, "{bounds:?}");
        assert!(0.0 <= bounds.ymin && bounds.ymin < bounds.ymax && bounds.ymax <= 480.0, "{bounds:?}");
    }
    !found.is_empty()
}

fn special() -> SpecialIds {
    static IDS: OnceLock<SpecialIds> = OnceLock::new();
    *IDS.get_or_init(|| {
        let json = serde_json::from_slice(CONFIG).expect("the golden configuration");
        let config = PaliGemmaConfig::from_hf(&json).expect("the golden configuration");
        SpecialIds { bos: config.bos_token, image: config.image_token }
    })
}
