//! Vision-language models that run in a browser tab, and natively: a picture and a question in, text, boxes or masks
//! out.
//!
//! A model is a set of files: a checkpoint as Hugging Face publishes it, or a pack that `ocelli convert` made of one.
//! It is loaded onto a [`Player`], which is the CPU or a GPU, and then performs tasks one after the other:
//!
//! ```
//! use ocelli::{Call, CpuPlayer, Directory, GenerateOptions, Model, ModelOptions, Player, Task, decode_picture};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # pollster::block_on(async {
//! let files = Directory::open("web/models/tiny")?;
//! let player = Player::Cpu(Box::new(CpuPlayer::new()));
//! // A clock for timings, and a callback that is told how far the load has got.
//! let mut model = Model::load(&files, player, ModelOptions::default(), || 0.0, &mut |_| Ok(())).await?;
//!
//! let picture = [decode_picture(&std::fs::read("web/demo/samples/pets.png")?, "pets.png")?];
//! let options = GenerateOptions { max_new_tokens: Some(24), ..GenerateOptions::default() };
//! let mut pieces = String::new();
//! let caption = Task::Caption { language: "en".into() };
//! let said = model.run_task(&picture, &caption, &options, &Call::default(), &mut |piece| pieces += piece).await?;
//! assert!(!pieces.is_empty());
//! assert_eq!(pieces, said.outcome.answer().expect("words").generation.text);
//!
//! let detect = Task::Detect { labels: vec!["cat".into(), "dog".into()] };
//! let found = model.run_task(&picture, &detect, &options, &Call::default(), &mut |_| ()).await?;
//! for object in found.outcome.objects() {
//!     println!("{} ({:.2}) at {:?}", object.label, object.score, object.bounds);
//! }
//! # Ok(()) }) }
//! ```
//!
//! [`Model::generate`] takes any prompt; [`ModelLoader`] takes a pack piece by piece, as a download brings it. What can
//! go wrong is an [`Error`]: a kind with a stable code, a sentence, and what to do about it.
//!
//! # Features
//!
//! `default` is `cli`, the command line, with all of the others. A program that only wants the library names what it
//! needs: `threads` (every core), `mmap` (files on a disk, [`Directory`]), `images` (PNG, JPEG, WebP, GIF and BMP
//! files), `npz` (weights as big_vision publishes them), `convert` (packs are made and checked), `any-tokenizer` (what of
//! `tokenizer.json` only Hugging Face's library reads). Without any of them a model runs on one core or the GPU, and has
//! its files in memory.

pub mod base;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
#[doc(hidden)]
pub mod cpu;
pub mod format;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod generate;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
#[doc(hidden)]
pub mod gpu;
#[doc(hidden)]
pub mod graph;
pub mod image;
#[doc(hidden)]
pub mod kernels;
#[doc(hidden)]
pub mod models;
#[doc(hidden)]
pub mod ops;
#[doc(hidden)]
pub mod quant;
#[cfg(test)]
#[path = "../tests/common/root.rs"]
mod root;
pub mod search;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod session;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub mod tasks;
#[doc(hidden)]
pub mod tensor;
pub mod text;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use base::{Error, ErrorKind, Result};
#[cfg(feature = "mmap")]
pub use format::Directory;
pub use format::{MemoryFiles, ModelFiles};
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub use session::{CancelToken, CpuPlayer, DeviceChoice, DeviceOptions, LoadProgress, Player};
#[cfg(feature = "images")]
pub use tasks::decode_picture;
#[cfg(any(feature = "page", not(target_arch = "wasm32")))]
pub use tasks::{
    Answer, Call, Dtype, GenerateOptions, Generation, Model, ModelLoader, ModelOptions, Object, Outcome, Request, Rgb8,
    Task, TaskResult,
};
