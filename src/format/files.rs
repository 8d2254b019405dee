use std::collections::BTreeMap;
use std::time::SystemTime;

/// The files of a model by name, wherever they are.
pub trait ModelFiles {
    /// The contents of a file, if it is there.
    fn get(&self, name: &str) -> Option<&[u8]>;

    /// Where the files are, for messages.
    fn place(&self) -> &str;

    /// The names of all files, in order.
    fn names(&self) -> Vec<&str>;

    /// When a file was last written, where the place knows.
    fn written(&self, _name: &str) -> Option<SystemTime> {
        None
    }
}

/// Files in memory, such as a browser's downloads.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryFiles {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file or replaces it.
    pub fn insert(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        self.files.insert(name.into(), bytes);
    }
}

impl ModelFiles for MemoryFiles {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    fn place(&self) -> &str {
        "the given files"
    }

    fn names(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }
}
