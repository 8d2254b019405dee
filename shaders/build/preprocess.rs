use std::path::Path;

use super::permutations::Permutation;

/// The text of a permutation: `#import name` is replaced by `lib/name.wgsl` (once), and `#ifdef`, `#ifndef`, `#else`,
/// `#endif` keep or drop lines.
pub fn expand(folder: &Path, permutation: &Permutation) -> Result<String, String> {
    let mut expander = Expander { folder, permutation, imported: Vec::new(), out: String::new() };
    expander.file(&folder.join(format!("{}.wgsl", permutation.file)))?;
    Ok(expander.out)
}

struct Expander<'a> {
    folder: &'a Path,
    permutation: &'a Permutation,
    imported: Vec<String>,
    out: String,
}

impl Expander<'_> {
    fn file(&mut self, path: &Path) -> Result<(), String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut kept: Vec<bool> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let fault = |what: &str| format!("{}:{}: {what}", path.display(), number + 1);
            let mut words = line.split_whitespace();
            let directive = words.next().unwrap_or_default();
            let argument = words.next();
            let defined = |name: Option<&str>| {
                name.map(|n| self.permutation.defines.iter().any(|d| d == n)).ok_or_else(|| fault("a name is missing"))
            };
            match directive {
                "#ifdef" => kept.push(defined(argument)?),
                "#ifndef" => kept.push(!defined(argument)?),
                "#else" => {
                    let last = kept.last_mut().ok_or_else(|| fault("#else without #ifdef"))?;
                    *last = !*last;
                }
                "#endif" => {
                    kept.pop().ok_or_else(|| fault("#endif without #ifdef"))?;
                }
                _ if kept.contains(&false) => {}
                "#import" => {
                    let name = argument.ok_or_else(|| fault("a name is missing"))?.to_owned();
                    if !self.imported.contains(&name) {
                        let library = self.folder.join("lib").join(format!("{name}.wgsl"));
                        self.imported.push(name);
                        self.file(&library)?;
                    }
                }
                _ if directive.starts_with('#') => return Err(fault("unknown directive")),
                _ => {
                    self.out.push_str(line);
                    self.out.push('\n');
                }
            }
        }
        if kept.is_empty() { Ok(()) } else { Err(format!("{}: #ifdef without #endif", path.display())) }
    }
}
