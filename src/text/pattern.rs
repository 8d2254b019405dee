use std::ops::Range;

/// What a replacement looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// A text.
    Text(String),
    /// Letters of a kind.
    Letters(Letters),
}

/// Letters of a kind, each by itself or in runs: the regular expressions of one letter or class that tokenizers have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letters {
    /// First and last ones.
    pub(super) ranges: Vec<(char, char)>,
    /// White space, too.
    pub(super) white: bool,
    /// Runs of so many and more, as long as they are; 0: each by itself.
    pub(super) run: u32,
}

impl Pattern {
    /// Runs of what Python's `\s` takes for white space: the four separators of ASCII, too.
    pub fn white_space() -> Self {
        Self::Letters(Letters { ranges: vec![('\u{1c}', '\u{1f}')], white: true, run: 1 })
    }

    /// The 32 marks of ASCII that are no letters, digits or controls, each by itself.
    pub fn ascii_punctuation() -> Self {
        Self::Letters(Letters { ranges: vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')], white: false, run: 0 })
    }

    /// A regular expression: a letter or a class, once, `+` or `{n,}`. None if it is another.
    pub(super) fn of_regex(regex: &str) -> Option<Self> {
        let mut rest = regex.chars();
        let mut letters = Letters { ranges: Vec::new(), white: false, run: 0 };
        match rest.next()? {
            '[' => letters.read_class(&mut rest)?,
            '\\' => letters.read_escape(rest.next()?)?,
            '(' | ')' | '{' | '}' | '*' | '+' | '?' | '|' | '^' | '$' | '.' | ']' => return None,
            letter => letters.ranges.push((letter, letter)),
        }
        letters.run = match rest.as_str() {
            "" => 0,
            "+" => 1,
            count => count.strip_prefix('{')?.strip_suffix(",}")?.parse().ok().filter(|&least| least > 0)?,
        };
        Some(Self::Letters(letters))
    }

    /// Bytes of the shortest text that it finds, at least 1.
    pub(super) fn shortest(&self) -> usize {
        match self {
            Self::Text(text) => text.len().max(1),
            Self::Letters(letters) => letters.run.max(1) as usize,
        }
    }

    /// The first place at or behind `from`.
    pub(super) fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let rest = text.get(from..)?;
        match self {
            Self::Text(known) => rest.find(known).map(|at| from + at..from + at + known.len()),
            Self::Letters(letters) => letters.find(rest).map(|found| from + found.start..from + found.end),
        }
    }
}

impl Letters {
    fn read_escape(&mut self, letter: char) -> Option<()> {
        match letter {
            's' => self.white = true,
            't' => self.ranges.push(('\t', '\t')),
            'n' => self.ranges.push(('\n', '\n')),
            'r' => self.ranges.push(('\r', '\r')),
            mark if mark.is_ascii_punctuation() => self.ranges.push((mark, mark)),
            _ => return None,
        }
        Some(())
    }

    /// What stands behind `[`, up to `]`. Classes that are negated or made of others are not read.
    fn read_class(&mut self, rest: &mut std::str::Chars<'_>) -> Option<()> {
        let text = rest.as_str();
        if ["^", "]"].iter().any(|start| text.starts_with(start)) {
            return None;
        }
        loop {
            match rest.next()? {
                ']' => return Some(()),
                '[' => return None,
                '\\' => self.read_escape(rest.next()?)?,
                letter => {
                    // A range, unless the hyphen is the last in the class.
                    let mut ahead = rest.clone();
                    let last = ahead.next().filter(|&hyphen| hyphen == '-').and_then(|_| ahead.next());
                    match last.filter(|&last| last != ']') {
                        Some('[' | '\\' | '-') => return None,
                        Some(last) if letter > last => return None,
                        Some(last) => {
                            self.ranges.push((letter, last));
                            *rest = ahead;
                        }
                        // Two of these are an operator in some dialects.
                        None if "&~-".contains(letter) && rest.as_str().starts_with(letter) => return None,
                        None => self.ranges.push((letter, letter)),
                    }
                }
            }
        }
    }

    fn has(&self, letter: char) -> bool {
        self.white && letter.is_whitespace() || self.ranges.iter().any(|&(a, b)| (a..=b).contains(&letter))
    }

    fn find(&self, text: &str) -> Option<Range<usize>> {
        let mut end = 0;
        loop {
            let start = end + text[end..].find(|letter| self.has(letter))?;
            let run = text[start..].chars().take_while(|&letter| self.has(letter));
            let (mut count, mut length) = (0, 0);
            for letter in run.take(if self.run == 0 { 1 } else { usize::MAX }) {
                count += 1;
                length += letter.len_utf8();
            }
            end = start + length;
            if count >= self.run {
                return Some(start..end);
            }
        }
    }
}
