/// Whether a file beside the weights says on which terms they come: a licence, a notice or a copyright text.
pub fn is_legal_text(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let stem = [".md", ".txt"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    matches!(stem, "license" | "licence" | "notice" | "copying")
}

#[cfg(test)]
mod tests {
    use super::is_legal_text;

    #[test]
    fn terms_are_told_by_their_names() {
        for name in ["LICENSE", "LICENCE", "License.txt", "licence.md", "NOTICE", "NOTICE.txt", "COPYING", "COPYING.md"]
        {
            assert!(is_legal_text(name), "{name}");
        }
        for name in ["README.md", "LICENSE.py", "LICENSES", "notice.json", "config.json", "", ".md"] {
            assert!(!is_legal_text(name), "{name}");
        }
    }
}
