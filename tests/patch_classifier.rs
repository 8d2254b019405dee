//! The smallest architecture against numpy.

#[path = "common/root.rs"]
mod root;
#[path = "common/tolerance.rs"]
mod tolerance;

use ocelli::CpuPlayer;
use ocelli::format::{Checkpoint, Directory, read_json};
use ocelli::models::{self, Pass, states};
use ocelli::session::{Player, Session, SessionOptions};
use ocelli::tensor::Dtype;
use pollster::block_on;
use root::root;

#[test]
fn logits_are_the_references() {
    let files = Directory::open(root().join("tests/goldens/patch-classifier")).expect("it is there");
    let golden = read_json(&files, "golden.json").expect("it is there");
    let numbers = |name: &str| -> Vec<f32> {
        golden[name].as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number") as f32).collect()
    };
    let architecture = models::open(&read_json(&files, "config.json").expect("it is there")).expect("it is known");
    let checkpoint = Checkpoint::open(&files, &architecture.checkpoint_rules()).expect("it opens");
    let options = SessionOptions { dtype: Dtype::F32, fuse: true };
    let player = Player::Cpu(Box::new(CpuPlayer::new()));
    let mut session =
        block_on(Session::load(player, architecture, &checkpoint, options, &mut |_| Ok(()))).expect("it loads");
    let (mut image, expected) = (numbers("image"), numbers("logits"));
    let mut classify = |image: &[f32]| {
        let image = [(states::IMAGE, bytemuck::cast_slice(image))];
        block_on(session.run(&Pass::EncodeImage, &image, states::PICTURE)).expect("it plays")
    };
    let close = |found: &[f32]| found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < tolerance::logits::INSIDE);
    let found = classify(&image);
    assert_eq!(found.len(), 9 * 7);
    assert!(close(&found));
    image.swap(0, 3);
    assert!(!close(&classify(&image)), "another picture gives the same logits");
}
