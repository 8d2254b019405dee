//! Runs the binary and reads what it says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::root::root;
pub use crate::scratch::scratch;

/// A file or folder below `tests`.
pub fn below_tests(path: &str) -> String {
    root().join("tests").join(path).display().to_string()
}

/// The binary: the one that was built with the tests, or the one carried with them.
fn binary() -> PathBuf {
    let carried = std::env::var_os("OCELLI_TEST_ROOT").map(|root| Path::new(&root).join("bin/ocelli"));
    carried.unwrap_or_else(|| env!("CARGO_BIN_EXE_ocelli").into())
}

/// The binary with these arguments and lavapipe as the only adapter.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).env("XDG_RUNTIME_DIR", scratch(""));
    match std::env::var_os("OCELLI_TEST_LAVAPIPE_ICD") {
        Some(driver) => command.env("VK_DRIVER_FILES", driver),
        None => command.env("VK_DRIVER_FILES", "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"),
    };
    command
}

/// What a run said, with its exit status.
pub struct Said {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).expect("standard output is text"),
            err: String::from_utf8(output.stderr).expect("standard error is text"),
        }
    }
}

/// Runs the binary to its end.
pub fn ocelli(arguments: &[&str]) -> Said {
    program(arguments).output().expect("the binary starts").into()
}

impl Said {
    /// The one object on the one line of standard output.
    pub fn object(&self) -> Value {
        assert_eq!(self.out.matches('\n').count(), 1, "one line was expected: {:?} {:?}", self.out, self.err);
        assert!(self.out.ends_with('\n'), "the line was expected to end: {:?}", self.out);
        let value: Value = serde_json::from_str(&self.out).expect("the line is JSON");
        assert!(value.is_object(), "an object was expected: {value}");
        value
    }

    /// The same, of a run that went well.
    pub fn good(&self) -> Value {
        assert_eq!(self.status, Some(0), "{} {}", self.out, self.err);
        self.object()
    }

    /// Fails unless the run ended with this status and an error of this code that names what it is about; its remedy.
    pub fn failed(&self, status: i32, code: &str, names: &str) -> String {
        let error = &self.object()["error"];
        assert_eq!(self.status, Some(status), "{error}");
        assert_eq!(error["code"], code, "{error}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains(names), "{names:?} was expected in {message:?}");
        let remedy = error["remedy"].as_str().unwrap_or_default();
        assert!(!remedy.is_empty(), "{error}");
        remedy.into()
    }
}
