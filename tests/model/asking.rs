//! The public API as a program uses it: load a directory, ask about pictures.

use std::fs;
use std::path::{Path, PathBuf};

use ocelli::format::Directory;
use ocelli::session::Player;
use ocelli::tasks::{Answer, Call, Dtype, GenerateOptions, Model, ModelOptions, Request, Rgb8, decode_picture};
use pollster::block_on;

use super::golden::{GoldenCase, folder};
use super::pool::{self, Place, Pooled};
use crate::scratch::scratch;

/// An error in words.
pub fn told<T, E: Into<ocelli::base::Error>>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| {
        let error = error.into();
        format!("{error} ({})", error.code())
    })
}

/// f32 weights, or others, with everything else as users have it.
pub fn options(dtype: Dtype) -> ModelOptions {
    ModelOptions { dtype, ..ModelOptions::default() }
}

pub fn load(place: Place, directory: &Path, options: ModelOptions) -> Result<Pooled, String> {
    Ok(Pooled::new(place, load_on(pool::take(place)?, directory, options)?))
}

/// Loads on a player, which does not come back.
pub fn load_on(player: Player, directory: &Path, options: ModelOptions) -> Result<Model, String> {
    let files = told(Directory::open(directory))?;
    told(block_on(Model::load(&files, player, options, || 0.0, &mut |_| Ok(()))))
}

/// The likeliest answer of at most this many tokens.
pub fn greedy(max_new_tokens: usize) -> GenerateOptions {
    GenerateOptions { max_new_tokens: Some(max_new_tokens), ..GenerateOptions::default() }
}

pub fn ask(model: &mut Model, case: &GoldenCase, options: &GenerateOptions) -> Result<Answer, String> {
    request(case, options, |request| told(block_on(model.generate(request, &Call::default(), &mut |_| ()))))
}

/// Puts a case's pictures and prompt into a request.
pub fn request<T>(
    case: &GoldenCase,
    options: &GenerateOptions,
    make: impl FnOnce(Request<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let pictures = case.pictures.iter().map(|name| picture(name)).collect::<Result<Vec<_>, _>>()?;
    make(Request { pictures: &pictures, prompt: &case.prompt, options })
}

/// The logits that chose token `step` of the greedy answer.
pub fn logits_at(model: &mut Model, case: &GoldenCase, step: usize) -> Result<Vec<f32>, String> {
    ask(model, case, &greedy(step + 1))?;
    told(block_on(model.logits()))
}

pub fn picture(name: &str) -> Result<Rgb8, String> {
    let bytes = fs::read(folder("pictures").join(name)).map_err(|error| format!("{name}: {error}"))?;
    told(decode_picture(&bytes, name))
}

/// A new folder with copies of files of other folders, and a place for more.
pub fn assemble(name: &str, files: &[(&Path, &str)]) -> Result<PathBuf, String> {
    // Programs run side by side, so each has its own.
    let directory = scratch(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    for (from, file) in files {
        let path = from.join(file);
        fs::copy(&path, directory.join(file)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(directory)
}

/// What a directory holds besides weights.
pub const SMALL_FILES: [&str; 4] =
    ["config.json", "tokenizer.json", "preprocessor_config.json", "generation_config.json"];
