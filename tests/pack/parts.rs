//! Some parts of a pack without the others.

use ocelli::base::ErrorKind;
use ocelli::format::pack::Manifest;
use ocelli::models::{Pass, states};
use ocelli::session::{AutoRegressive, CpuPlayer, Loader, PackWeights, Player, Session, open_pack};
use pollster::block_on;

use super::format::{Files, pack_with_masks};

fn player() -> Player {
    Player::Cpu(Box::new(CpuPlayer::new()))
}

/// A session with some parts, or all, and the shards that it took.
fn load(files: &Files, manifest: &Manifest, parts: Option<&[&str]>) -> (Session, Vec<String>) {
    let architecture = open_pack(manifest).expect("it is one");
    let weights = PackWeights::of(architecture.as_ref(), manifest, parts).expect("they are there");
    let (mut session, mut loader) = match parts {
        Some(parts) => block_on(Loader::of_parts(player(), manifest, parts, true)),
        None => block_on(Loader::of_pack(player(), manifest, true)),
    }
    .expect("there is memory");
    let mut taken = Vec::new();
    for shard in weights.shards() {
        loader.push(&mut session, &shard.file, &files[&shard.file]).expect("it is taken");
        taken.push(shard.file.clone());
    }
    assert_eq!(loader.progress().done, loader.progress().total);
    loader.finish().expect("everything has come");
    (session, taken)
}

/// What the vision encoder makes of a grey picture.
fn encoded(session: Session) -> Vec<u8> {
    let input = session.architecture().image().expect("it takes images");
    let grey: Vec<f32> = (0..input.values()).map(|at| at as f32 / input.values() as f32 - 0.5).collect();
    let mut driver = AutoRegressive::new(session).expect("it has a decoder");
    block_on(driver.encode(&[&grey])).expect("it is encoded");
    block_on(driver.session_mut().read(states::PICTURE, input.tokens * input.width * 4)).expect("it can be read")
}

#[test]
fn the_vision_part_alone_encodes_as_the_whole_model_does() {
    let files = pack_with_masks("vision-alone");
    let manifest = Manifest::parse(&files["ocelli.json"]).expect("it is one");
    let (whole, all) = load(&files, &manifest, None);
    let (vision, some) = load(&files, &manifest, Some(&["vision"]));
    assert!(some.len() > 1 && some.len() < all.len() && all.starts_with(&some), "{some:?} of {all:?}");
    assert!(vision.memory().weights_bytes * 2 < whole.memory().weights_bytes);
    for part in vision.architecture().parts() {
        assert_eq!(vision.has(&part.pass).expect("it is a pass"), part.pass == Pass::EncodeImage, "{}", part.name);
    }
    assert_eq!(encoded(vision), encoded(whole));
}

#[test]
fn parts_need_not_be_neighbours_and_must_be_there() {
    let files = pack_with_masks("two-parts");
    let manifest = Manifest::parse(&files["ocelli.json"]).expect("it is one");
    let (session, _) = load(&files, &manifest, Some(&["mask_decoder", "vision"]));
    assert!(session.has(&Pass::DecodeMask).expect("a pass") && session.has(&Pass::EncodeImage).expect("a pass"));
    let error =
        block_on(Loader::of_parts(player(), &manifest, &["vision", "ears"], true)).err().expect("it is refused");
    assert!(error.kind() == ErrorKind::BadArgument && error.to_string().contains("ears"), "{error}");

    let (mut session, mut loader) =
        block_on(Loader::of_parts(player(), &manifest, &["vision"], true)).expect("it begins");
    let decoder = &manifest.groups[1].shards[0].file;
    let error = loader.push(&mut session, decoder, &files[decoder]).expect_err("nobody asked for it");
    assert!(error.kind() == ErrorKind::BadModelFile && error.to_string().contains(decoder), "{error}");
    let error = loader.finish().expect_err("nothing has come");
    assert_eq!(error.kind(), ErrorKind::BadModelFile);
}

#[test]
fn format_1_brings_all_parts_whichever_is_wanted() {
    let bytes = std::fs::read(super::root().join("web/models/tiny/ocelli.json")).expect("it is there");
    let manifest = Manifest::parse(&bytes).expect("it is one");
    let architecture = open_pack(&manifest).expect("it is one");
    let weights = |parts| PackWeights::of(architecture.as_ref(), &manifest, parts).expect("they are there");
    let (some, all) = (weights(Some(&["vision"])), weights(None));
    assert_eq!(some.specs, all.specs);
    assert_eq!(some.shards().collect::<Vec<_>>(), manifest.shards().collect::<Vec<_>>());
}
