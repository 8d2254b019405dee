/// Holds text back while it may be the beginning of a stop text, and cuts the answer at the first one found.
#[derive(Debug)]
pub struct StopTexts<'a> {
    stops: &'a [String],
    held: String,
}

/// What may be given out after another piece of text.
#[derive(Debug, PartialEq, Eq)]
pub struct Released {
    /// Text that is certainly part of the answer.
    pub text: String,
    /// A stop text was found: nothing follows.
    pub stopped: bool,
}

impl<'a> StopTexts<'a> {
    /// Watches for the given texts.
    pub fn new(stops: &'a [String]) -> Self {
        Self { stops, held: String::new() }
    }

    /// Takes another piece of the answer.
    pub fn push(&mut self, piece: &str) -> Released {
        self.held.push_str(piece);
        if let Some(at) = self.stops.iter().filter_map(|s| self.held.find(s.as_str())).min() {
            self.held.truncate(at);
            return Released { text: std::mem::take(&mut self.held), stopped: true };
        }
        let keep = self.stops.iter().map(|s| overlap(&self.held, s)).max().unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - keep);
        Released { text: std::mem::replace(&mut self.held, rest), stopped: false }
    }

    /// What was held back, when the answer ends otherwise.
    pub fn finish(self) -> String {
        self.held
    }
}

/// Bytes at the end of `text` that are a beginning of `stop`.
fn overlap(text: &str, stop: &str) -> usize {
    let longest = text.len().min(stop.len().saturating_sub(1));
    (1..=longest).rev().find(|&n| stop.is_char_boundary(n) && text.ends_with(&stop[..n])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(|s| s.to_string()).collect();
        let mut watch = StopTexts::new(&stops);
        let mut out = String::new();
        for piece in pieces {
            let released = watch.push(piece);
            out.push_str(&released.text);
            if released.stopped {
                return (out, true);
            }
        }
        out.push_str(&watch.finish());
        (out, false)
    }

    #[test]
    fn a_stop_text_across_pieces_is_cut() {
        assert_eq!(run(&["END"], &["a cat E", "N", "D more"]), ("a cat ".into(), true));
        assert_eq!(run(&["\n", "."], &["one. two\n"]), ("one".into(), true));
    }

    #[test]
    fn a_beginning_that_comes_to_nothing_is_given_out() {
        assert_eq!(run(&["END"], &["a E", "N", "x"]), ("a ENx".into(), false));
        assert_eq!(run(&["END"], &["a EN"]), ("a EN".into(), false));
        assert_eq!(run(&["é!"], &["caf\u{e9}", "s"]), ("cafés".into(), false));
    }
}
