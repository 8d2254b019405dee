use std::ops::Range;

/// A text between two added tokens while it is changed, up to the words that a model takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Normalized {
    text: String,
    /// Bytes in front that stand for the first letter of the whole text, which
    /// [`Prepend::First`](super::words::Prepend) asks for: 0 unless the part starts with it.
    front: usize,
}

/// A text as it is written anew, letter by letter.
pub(super) struct Change {
    text: String,
    /// Bytes of each letter and how many more than one letter it stands for: below 0 those that it takes the place of,
    /// above 0 one that came to them. Only kept where the front of the text is asked for.
    steps: Option<Vec<(usize, isize)>>,
    changed: bool,
}

impl Normalized {
    /// A part as it stands in a text; `first` where it starts the text and that is asked for.
    pub fn new(text: &str, first: bool) -> Self {
        let front = text.chars().next().filter(|_| first).map_or(0, char::len_utf8);
        Self { text: text.into(), front }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it starts what stands for the whole text's first letter.
    pub fn is_first(&self) -> bool {
        self.front > 0
    }

    /// A part of it.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let front = self.front.saturating_sub(range.start).min(range.len());
        Self { text: self.text[range].into(), front }
    }

    /// Starts to write it anew.
    pub fn change(&self) -> Change {
        let steps = (self.front > 0).then(Vec::new);
        Change { text: String::with_capacity(self.text.len()), steps, changed: false }
    }

    /// Takes what was written.
    pub fn set(&mut self, change: Change) {
        if !change.changed {
            return;
        }
        let mut old = self.text.chars().map(char::len_utf8);
        let (mut at, mut front) = (0_usize, 0);
        for (length, change) in change.steps.unwrap_or_default() {
            let of = if change > 0 { at.saturating_sub(1) } else { at };
            if of >= self.front {
                break;
            }
            front += length;
            if change <= 0 {
                at += old.by_ref().take(1 + change.unsigned_abs()).sum::<usize>();
            }
        }
        *self = Self { text: change.text, front };
    }

    /// Writes `to` for every place that `find` finds, which is given where to look from.
    pub fn replace(&mut self, find: &dyn Fn(&str, usize) -> Option<Range<usize>>, to: &str) {
        let (mut text, mut front, mut end) = (String::new(), 0, 0);
        while let Some(found) = find(&self.text, end) {
            text.push_str(&self.text[end..found.start]);
            front += self.front_of(end..found.start);
            // It stands for the last letter that it takes the place of.
            front += if found.end <= self.front { to.len() } else { 0 };
            text.push_str(to);
            end = found.end;
        }
        if end > 0 {
            text.push_str(&self.text[end..]);
            front += self.front_of(end..self.text.len());
            *self = Self { text, front };
        }
    }

    fn front_of(&self, range: Range<usize>) -> usize {
        self.front.clamp(range.start, range.end) - range.start
    }

    /// Takes white space away on its left or right.
    pub fn strip(&mut self, left: bool, right: bool) {
        let start = if left { self.text.len() - self.text.trim_start().len() } else { 0 };
        let end = if right { self.text.trim_end().len() } else { self.text.len() };
        *self = self.slice(start.min(end)..end);
    }

    /// Writes it in lower case: letter by letter, or as `words` have it, where a sigma at the end of one is another.
    pub fn lowercase(&mut self, words: bool) {
        let mut change = self.change();
        for letter in self.text.chars() {
            letter.to_lowercase().enumerate().for_each(|(n, letter)| change.push(letter, isize::from(n > 0)));
        }
        if words {
            // Both sigmas have two bytes.
            change.text = self.text.to_lowercase();
        }
        change.changed = true;
        self.set(change);
    }

    /// Puts a letter in front.
    pub fn prepend(&mut self, letter: char) {
        self.text.insert(0, letter);
        self.front += if self.front > 0 { letter.len_utf8() } else { 0 };
    }
}

impl Change {
    /// Writes a part as it is.
    pub fn keep(&mut self, part: &str) {
        part.chars().for_each(|letter| self.push(letter, 0));
    }

    /// Writes something else for a part. Which letter stands for which is counted as the crate `tokenizers` counts.
    pub fn replace(&mut self, part: &str, to: &str) {
        self.changed = true;
        let count = |text: &str| text.chars().count() as isize;
        let more = count(to) - count(part);
        let kept = count(to) - more.max(0);
        to.chars().zip(0..).for_each(|(letter, n)| self.push(letter, isize::from(n >= kept)));
        if let Some((_, last)) = self.steps.as_mut().and_then(|steps| steps.last_mut()) {
            *last += more.min(0);
        }
    }

    fn push(&mut self, letter: char, change: isize) {
        self.text.push(letter);
        if let Some(steps) = &mut self.steps {
            steps.push((letter.len_utf8(), change));
        }
    }
}
