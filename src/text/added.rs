use std::ops::Range;

use super::rules::Rules;
use crate::base::{sort_by, sort_by_key};

/// A token that is found in a text before anything else is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AddedToken {
    pub content: String,
    pub id: u32,
    /// Not shown in answers.
    pub special: bool,
    /// Found in a text as the normalizers leave it, as they leave its own.
    pub normalized: bool,
    /// Takes the white space on its left with it.
    pub lstrip: bool,
    /// Takes the white space on its right with it.
    pub rstrip: bool,
}

/// All added tokens of a tokenizer.
#[derive(Debug)]
pub(super) struct AddedTokens {
    /// By id.
    tokens: Vec<AddedToken>,
    /// What is looked for and whose it is, in the order of the texts.
    exact: Vec<(String, usize)>,
    normalized: Vec<(String, usize)>,
}

impl AddedTokens {
    /// None if one is empty, or two have the same id or are found by the same text.
    pub fn new(mut tokens: Vec<AddedToken>, rules: &Rules) -> Option<Self> {
        sort_by_key(&mut tokens, |token| token.id);
        let found_by = |normalized: bool| {
            let all = tokens.iter().enumerate().filter(|(_, token)| token.normalized == normalized);
            let text = |token: &AddedToken| match normalized {
                true => rules.normalized(&token.content, false).as_str().to_owned(),
                false => token.content.clone(),
            };
            let mut texts: Vec<(String, usize)> = all.map(|(n, token)| (text(token), n)).collect();
            sort_by(&mut texts, Ord::cmp);
            texts
        };
        let (exact, normalized) = (found_by(false), found_by(true));
        let apart = tokens.is_sorted_by(|a, b| a.id < b.id)
            && [&exact, &normalized].iter().all(|texts| texts.is_sorted_by(|a, b| a.0 < b.0))
            && [&exact, &normalized].iter().all(|texts| texts.iter().all(|(text, _)| !text.is_empty()));
        apart.then_some(Self { tokens, exact, normalized })
    }

    /// All of them and further ones, in texts by these rules; none as of [`new`](Self::new).
    pub fn with(self, further: impl IntoIterator<Item = AddedToken>, rules: &Rules) -> Option<Self> {
        Self::new(self.tokens.into_iter().chain(further).collect(), rules)
    }

    /// The id of the token that is this text.
    pub fn id(&self, content: &str) -> Option<u32> {
        self.tokens.iter().find(|token| token.content == content).map(|token| token.id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &AddedToken> {
        self.tokens.iter()
    }

    /// The token of an id.
    pub fn get(&self, id: u32) -> Option<&AddedToken> {
        self.tokens.binary_search_by_key(&id, |token| token.id).ok().map(|n| &self.tokens[n])
    }

    /// Whether a piece is the text of a special token, whatever its id.
    pub fn is_special(&self, piece: &str) -> bool {
        let found = self.exact.binary_search_by(|(content, _)| content.as_str().cmp(piece));
        found.is_ok_and(|n| self.tokens[self.exact[n].1].special)
    }

    /// Cuts a text as a user wrote it: the ids of tokens and where they lie, and what lies between them.
    pub fn cut_exact(&self, text: &str, take: impl FnMut(Option<u32>, Range<usize>)) {
        self.cut(text, &self.exact, take);
    }

    /// Cuts a text that is normalized.
    pub fn cut_normalized(&self, text: &str, take: impl FnMut(Option<u32>, Range<usize>)) {
        self.cut(text, &self.normalized, take);
    }

    /// Leftmost tokens first, and the longest of those. What tokens strip, they may strip of each other.
    fn cut(&self, text: &str, known: &[(String, usize)], mut take: impl FnMut(Option<u32>, Range<usize>)) {
        let (mut done, mut at) = (0, 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let Some((content, token)) = longest(known, rest) else {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            };
            let (mut start, mut end) = (at, at + content.len());
            at = end;
            let token = &self.tokens[*token];
            if token.lstrip {
                start = text[..start].trim_end().len().max(done);
            }
            if token.rstrip {
                end = text.len() - text[end..].trim_start().len();
            }
            if done < start {
                take(None, done..start);
            }
            if start < end {
                take(Some(token.id), start..end);
            }
            done = end;
        }
        if done < text.len() {
            take(None, done..text.len());
        }
    }
}

/// The longest known text that another one starts with.
fn longest<'a>(known: &'a [(String, usize)], text: &str) -> Option<&'a (String, usize)> {
    let mut text = text.as_bytes();
    loop {
        let candidate = &known[..known.partition_point(|(content, _)| content.as_bytes() <= text)].last()?;
        let content = candidate.0.as_bytes();
        let shared = content.iter().zip(text).take_while(|(a, b)| a == b).count();
        if shared == content.len() {
            return Some(candidate);
        }
        // A shorter one would lie before the candidate, so it starts the candidate as well.
        text = &text[..shared];
    }
}
