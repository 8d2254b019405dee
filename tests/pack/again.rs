//! What an earlier conversion left in the folder: used if it is of the same source and whole, and gone at the end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use ocelli::base::ErrorKind;
use ocelli::format::Directory;
use ocelli::tasks::{ConvertOptions, Converted, Dtype, convert, verify};

use super::{below_tests, contents, make, options, scratch, stop};

const WEIGHTS: &str = "model.safetensors";

/// Many small shards.
fn small(dtype: Dtype) -> ConvertOptions {
    ConvertOptions { shard_bytes: 30_000, ..options(dtype) }
}

/// A copy of a golden checkpoint that may be changed.
pub fn copy(checkpoint: &str, name: &str) -> PathBuf {
    let folder = scratch(name);
    fs::create_dir_all(&folder).expect("the folder is made");
    for (file, bytes) in contents(&below_tests("goldens").join(checkpoint)) {
        fs::write(folder.join(file), bytes).expect("the file is written");
    }
    folder
}

fn whole(source: &Path, folder: &Path, options: &ConvertOptions) -> Converted {
    convert(&Directory::open(source).expect("it opens"), folder, options, &mut |_| Ok(())).expect("it converts")
}

/// Converts about half of a source and stops.
fn half(source: &Path, folder: &Path, options: &ConvertOptions) {
    let source = Directory::open(source).expect("it opens");
    let error = convert(&source, folder, options, &mut |progress| {
        if progress.done * 2 > progress.total { Err(stop()) } else { Ok(()) }
    });
    assert_eq!(error.expect_err("it was stopped").kind(), ErrorKind::Cancelled);
}

/// Changes the weights of a source in place and says that they were written at `written`, or when they were before.
fn change(source: &Path, damage: impl Fn(&mut [u8]), later: bool) {
    let path = source.join(WEIGHTS);
    let before = fs::metadata(&path).and_then(|data| data.modified()).expect("a time");
    let mut bytes = fs::read(&path).expect("the weights");
    damage(&mut bytes);
    fs::write(&path, bytes).expect("they are written");
    let written = if later { before + std::time::Duration::from_secs(1) } else { before };
    File::options().write(true).open(&path).and_then(|file| file.set_modified(written)).expect("the time is set");
}

#[test]
fn two_sources_are_not_mixed() {
    let source = copy("pg1-hd16", "mixed-source");
    // Everything else is the same, the time too: only the contents tell.
    let folder = scratch("mixed-contents");
    half(&source, &folder, &small(Dtype::Q8));
    let negate = |bytes: &mut [u8]| bytes.iter_mut().skip(50_000).skip(3).step_by(4).for_each(|byte| *byte ^= 0x80);
    change(&source, negate, false);
    let fresh = scratch("mixed-fresh");
    whole(&source, &fresh, &small(Dtype::Q8));
    assert_eq!(whole(&source, &folder, &small(Dtype::Q8)).kept, 0);
    assert!(contents(&folder) == contents(&fresh), "shards of two checkpoints");

    // One element that no sample holds: the time tells.
    let folder = scratch("mixed-time");
    half(&source, &folder, &small(Dtype::Q8));
    let length = fs::metadata(source.join(WEIGHTS)).expect("the weights").len() as usize;
    change(&source, |bytes| bytes[length / 2] ^= 1, true);
    assert_eq!(whole(&source, &folder, &small(Dtype::Q8)).kept, 0);
}

#[test]
fn a_damaged_shard_is_written_again() {
    let source = below_tests("goldens/pg1-hd16");
    let (folder, fresh) = (scratch("kept-damaged"), scratch("kept-fresh"));
    whole(&source, &fresh, &small(Dtype::Q8));
    half(&source, &folder, &small(Dtype::Q8));
    let shard = folder.join("weights-00002.safetensors");
    let mut bytes = fs::read(&shard).expect("it is there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&shard, bytes).expect("it is written");
    let cut = folder.join("weights-00001.safetensors");
    fs::write(&cut, b"short").expect("it is written");
    let mut seen = Vec::new();
    let opened = Directory::open(&source).expect("it opens");
    let done = convert(&opened, &folder, &small(Dtype::Q8), &mut |progress| {
        seen.push(progress);
        Ok(())
    });
    assert!(done.expect("it goes on").kept > 0);
    assert!(seen.windows(2).all(|pair| pair[0].done <= pair[1].done), "{seen:?}");
    assert!(seen.last().is_some_and(|last| last.done == last.total), "{seen:?}");
    assert!(contents(&folder) == contents(&fresh), "a damaged shard was kept");
}

#[test]
fn a_pack_that_is_replaced_is_none_until_it_is_whole() {
    let source = below_tests("goldens/pg1-hd16");
    let (folder, fresh) = (scratch("replaced"), scratch("replaced-fresh"));
    whole(&source, &folder, &small(Dtype::Q8));
    fs::write(folder.join("weights-00003.safetensors.part"), b"cut off").expect("it is written");
    fs::write(folder.join("ocelli.json.part"), b"cut off").expect("it is written");
    for mine in ["notes.txt", "film.mp4.part"] {
        fs::write(folder.join(mine), b"mine").expect("it is written");
    }
    fs::create_dir_all(folder.join("weights-00009.safetensors.part")).expect("it is made");
    half(&source, &folder, &options(Dtype::F32));
    assert!(!folder.join("ocelli.json").exists(), "the manifest of the pack before would call the mixture whole");
    assert_eq!(whole(&source, &folder, &options(Dtype::Q4)).kept, 0);
    whole(&source, &fresh, &options(Dtype::Q4));
    fs::remove_dir(folder.join("weights-00009.safetensors.part")).expect("a folder stays");
    let mut found = contents(&folder);
    for mine in ["notes.txt", "film.mp4.part"] {
        assert_eq!(found.remove(mine).as_deref(), Some(&b"mine"[..]), "what is no pack's stays");
    }
    assert!(found == contents(&fresh), "{:?} are not {:?}", found.keys(), contents(&fresh).keys());
    verify(&Directory::open(&folder).expect("it opens"), &mut |_| Ok(())).expect("it is whole");
}

#[test]
fn the_folder_of_the_source_is_refused() {
    let source = copy("pg1-hd16", "in-place");
    let before = contents(&source);
    let opened = Directory::open(&source).expect("it opens");
    let error = convert(&opened, &source.join("."), &options(Dtype::Q8), &mut |_| Ok(())).expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::BadArgument);
    assert!(contents(&source) == before);
}

#[test]
fn the_terms_of_the_weights_go_with_them() {
    let source = copy("pg1-hd16", "terms-source");
    let texts = ["LICENCE.md", "NOTICE", "COPYING.txt"];
    for name in texts {
        fs::write(source.join(name), name).expect("it is written");
    }
    fs::write(source.join("README.md"), "no terms").expect("it is written");
    let folder = scratch("terms");
    whole(&source, &folder, &options(Dtype::Q8));
    let pack = contents(&folder);
    for name in texts {
        assert_eq!(pack.get(name).map(Vec::as_slice), Some(name.as_bytes()), "{name}");
    }
    assert!(!pack.contains_key("README.md"));
    let manifest: serde_json::Value = serde_json::from_slice(&pack["ocelli.json"]).expect("JSON");
    assert_eq!(manifest["licence"]["file"], "COPYING.txt");
    let notices: Vec<&str> =
        manifest["notices"].as_array().expect("a list").iter().filter_map(|entry| entry["file"].as_str()).collect();
    assert_eq!(notices, ["LICENCE.md", "NOTICE"]);
    let checked = verify(&Directory::open(&folder).expect("it opens"), &mut |_| Ok(())).expect("it is whole");
    assert_eq!(checked.files + 1, pack.len());
    fs::write(folder.join("NOTICE"), "another").expect("it is written");
    let error = verify(&Directory::open(&folder).expect("it opens"), &mut |_| Ok(())).expect_err("it is damaged");
    assert!(error.to_string().contains("NOTICE"), "{error}");

    // Of a source without them, none stays.
    make("pg1-hd16", &folder, &options(Dtype::Q8)).expect("converts");
    assert!(contents(&folder).keys().all(|name| !texts.contains(&name.as_str())));
}
