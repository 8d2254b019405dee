use super::normalized::Normalized;

/// A way to cut a text into the words that a model takes one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// At white space, which goes.
    WhiteSpace,
    /// Spaces are written as a letter, which starts a word.
    Metaspace {
        letter: char,
        prepend: Prepend,
        /// Whether the text is cut before each.
        split: bool,
    },
}

/// Where a letter for a space is put before what has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prepend {
    Always,
    /// Only before the whole text's first letter.
    First,
    Never,
}

impl Words {
    /// Cuts a text; no word is empty.
    pub fn cut(self, mut text: Normalized, take: &mut dyn FnMut(Normalized)) {
        match self {
            Self::WhiteSpace => cut_at(&text, &|letter| letter.is_whitespace().then_some(letter.len_utf8()), take),
            Self::Metaspace { letter, prepend, split } => {
                // Told before spaces are replaced, whatever a space in front stands for.
                let first = text.is_first();
                let spaces = |text: &str, from: usize| text[from..].find(' ').map(|at| from + at..from + at + 1);
                text.replace(&spaces, letter.encode_utf8(&mut [0; 4]));
                let wanted = prepend == Prepend::Always || prepend == Prepend::First && first;
                if wanted && !text.as_str().starts_with(letter) {
                    text.prepend(letter);
                }
                if split {
                    cut_at(&text, &|other| (other == letter).then_some(0), take);
                } else {
                    take(text);
                }
            }
        }
    }
}

/// Cuts before letters that `border` knows, of which it leaves out as many bytes as it says.
fn cut_at(text: &Normalized, border: &dyn Fn(char) -> Option<usize>, take: &mut dyn FnMut(Normalized)) {
    let mut start = 0;
    let mut word = |range: std::ops::Range<usize>| {
        if !range.is_empty() {
            take(text.slice(range));
        }
    };
    for (at, letter) in text.as_str().char_indices() {
        if let Some(left_out) = border(letter) {
            word(start..at);
            start = at + left_out;
        }
    }
    word(start..text.as_str().len());
}
