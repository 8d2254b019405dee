use std::path::Path;

/// One kernel: a shader file and the names defined while it is preprocessed.
pub struct Permutation {
    /// Kernel name: file stem and suffix.
    pub name: String,
    /// Stem of the `.wgsl` file; also the name of the CPU twin.
    pub base: String,
    /// What `#ifdef` sees.
    pub defines: Vec<String>,
}

/// Reads lines of the form `base: suffix(DEFINE, …) suffix(…)`; an empty suffix is written `_`.
pub fn read(path: &Path) -> Vec<Permutation> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut all = Vec::new();
    for line in text.lines().map(|l| l.split('#').next().unwrap_or_default().trim()).filter(|l| !l.is_empty()) {
        let (base, rest) = line.split_once(':').unwrap_or_else(|| panic!("permutations: no colon in {line:?}"));
        let base = base.trim().to_owned();
        let rest = rest.trim();
        if rest.is_empty() {
            all.push(Permutation { name: base.clone(), base, defines: Vec::new() });
            continue;
        }
        for entry in rest.split(')').map(str::trim).filter(|e| !e.is_empty()) {
            let (suffix, defines) =
                entry.split_once('(').unwrap_or_else(|| panic!("permutations: no bracket in {entry:?}"));
            let suffix = suffix.trim();
            let name = if suffix == "_" { base.clone() } else { format!("{base}_{suffix}") };
            let defines = defines.split(',').map(|d| d.trim().to_owned()).filter(|d| !d.is_empty()).collect();
            all.push(Permutation { name, base: base.clone(), defines });
        }
    }
    all
}
