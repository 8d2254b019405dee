//! Built tests read and write in the folder that `OCELLI_TEST_ROOT` names, wherever they were built.

#[path = "common/root.rs"]
mod root;
#[path = "common/scratch.rs"]
mod scratch;

use std::fs;
use std::path::Path;
use std::process::Command;

use root::root;
use scratch::scratch;

/// What the copies of this program do below.
#[test]
fn it_reads_and_writes() {
    let text = fs::read_to_string(root().join("tests/goldens/pg1-hd16/config.json")).expect("the golden is there");
    fs::write(scratch("carried.json"), text).expect("it can be written");
}

/// Whether a copy of this program, run in another folder, is content with a root.
fn passes_with(root: &Path, elsewhere: &Path) -> bool {
    let copy = elsewhere.join(format!("carried{}", std::env::consts::EXE_SUFFIX));
    fs::copy(std::env::current_exe().expect("this program has a path"), &copy).expect("it can be copied");
    let mut command = Command::new(copy);
    command.args(["--exact", "it_reads_and_writes"]).current_dir(elsewhere).env("OCELLI_TEST_ROOT", root);
    command.output().expect("the copy starts").status.success()
}

#[test]
fn a_copy_elsewhere_reads_and_writes_there() {
    let folder = scratch(format!("carried-{}", std::process::id()));
    let goldens = folder.join("tests/goldens/pg1-hd16");
    fs::create_dir_all(&goldens).expect("the folder is made");
    assert!(!passes_with(&folder, &folder), "it read a golden that this folder lacks");
    fs::write(goldens.join("config.json"), "another").expect("it can be written");
    assert!(passes_with(&folder, &folder), "it did not find what is there");
    let written = fs::read_to_string(folder.join("tmp/carried.json"));
    assert_eq!(written.expect("it was written here"), "another");
    fs::remove_dir_all(&folder).expect("the folder goes");
}
