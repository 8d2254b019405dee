use std::path::Path;

/// One kernel: a shader file and the names defined while it is preprocessed.
pub struct Permutation {
    /// Kernel name: file stem and suffix.
    pub name: String,
    /// Stem of the `.wgsl` file; also the name of the CPU twin.
    pub file: String,
    /// What `#ifdef` sees.
    pub defines: Vec<String>,
}

impl Permutation {
    /// The element type of its weight: `W_Q8` defines that of `Dtype::Q8`.
    pub fn weight(&self) -> Option<String> {
        let dtypes = self.defines.iter().filter_map(|define| define.strip_prefix("W_"));
        dtypes.filter(|name| *name != "SCALED").map(|name| name[..1].to_owned() + &name[1..].to_lowercase()).next()
    }
}

/// Reads lines of the form `file: suffix(DEFINE, …) suffix(…)`; an empty suffix is written `_`.
pub fn read(path: &Path) -> Vec<Permutation> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut all = Vec::new();
    for line in text.lines().map(|l| l.split('#').next().unwrap_or_default().trim()).filter(|l| !l.is_empty()) {
        let (file, rest) = line.split_once(':').unwrap_or_else(|| panic!("permutations: no colon in {line:?}"));
        let file = file.trim().to_owned();
        let rest = rest.trim();
        if rest.is_empty() {
            all.push(Permutation { name: file.clone(), file, defines: Vec::new() });
            continue;
        }
        for entry in rest.split(')').map(str::trim).filter(|e| !e.is_empty()) {
            let (suffix, defines) =
                entry.split_once('(').unwrap_or_else(|| panic!("permutations: no bracket in {entry:?}"));
            let suffix = suffix.trim();
            let name = if suffix == "_" { file.clone() } else { format!("{file}_{suffix}") };
            let defines = defines.split(',').map(|d| d.trim().to_owned()).filter(|d| !d.is_empty()).collect();
            all.push(Permutation { name, file: file.clone(), defines });
        }
    }
    all
}
