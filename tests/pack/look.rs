//! The tower looks at a picture before the decoder's weights are there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use ocelli::base::ErrorKind;
use ocelli::format::pack::Manifest;
use ocelli::session::{CpuPlayer, Player};
use ocelli::tasks::{Dtype, ModelLoader, decode_picture};
use pollster::block_on;

use super::{answer, below_tests, contents, load, make, options, scratch};
use ocelli::format::Directory;

/// Layers that were worked off.
static LAYERS: AtomicUsize = AtomicUsize::new(0);

fn count(_: &Waker) -> bool {
    LAYERS.fetch_add(1, Ordering::Relaxed);
    false
}

#[test]
fn the_first_question_finds_its_picture_encoded() {
    let folder = scratch("look");
    let small = ocelli::tasks::ConvertOptions { shard_bytes: 10_000, ..options(Dtype::Q8) };
    make("pg1-hd16", &folder, &small).expect("converts");
    let expected = answer(&mut load(&Directory::open(&folder).expect("it opens"), Dtype::Q8).expect("it loads"));
    let files = contents(&folder);
    let manifest = Manifest::parse(&files["ocelli.json"]).expect("it is one");
    let seen = |name: &str| {
        let bytes = std::fs::read(below_tests("pictures").join(name)).expect("it is there");
        decode_picture(&bytes, name).expect("a picture")
    };
    let mut layers = Vec::new();
    for looked_at in [None, Some("cat.png"), Some("rocket.png")] {
        let player = Player::Cpu(Box::new(CpuPlayer::new())).with_breath(count);
        let tokenizer = files["tokenizer.bin"].as_slice();
        let begun = ModelLoader::begin(player, &manifest, Some(tokenizer), None, true, || 0.0);
        let mut loader = block_on(begun).expect("it begins");
        let mut pushed_when_it_could_look = None;
        for (n, shard) in manifest.shards().enumerate() {
            if !loader.vision_ready() {
                let early =
                    block_on(loader.encode_image(&seen("cat.png"))).expect_err("the vision encoder is not there");
                assert_eq!(early.kind(), ErrorKind::BadModelFile, "{early}");
            } else if pushed_when_it_could_look.is_none() {
                pushed_when_it_could_look = Some(n);
                if let Some(name) = looked_at {
                    block_on(loader.encode_image(&seen(name))).expect("it is encoded");
                }
            }
            loader.push(&shard.file, &files[&shard.file]).expect("it is taken");
        }
        let pushed = pushed_when_it_could_look.expect("the tower comes before the rest");
        let all = manifest.shards().count();
        assert!(pushed > 1 && pushed + 1 < all, "{pushed} of {all}");
        let mut model = loader.finish().expect("everything has come");
        LAYERS.store(0, Ordering::Relaxed);
        assert_eq!(answer(&mut model), expected, "{looked_at:?}");
        layers.push(LAYERS.load(Ordering::Relaxed));
    }
    // What was looked at before is not looked at again; another picture is.
    assert!(layers[1] < layers[0] && layers[2] == layers[0], "{layers:?}");
}
