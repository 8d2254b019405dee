/// What a picture is asked for; an architecture says how it goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task<'a> {
    /// A short sentence in a language, such as `en`.
    Caption(&'a str),
    /// A longer text in a language.
    Describe(&'a str),
    /// The answer to a question in a language.
    Ask(&'a str, &'a str),
    /// The text in the picture.
    Ocr,
    /// Boxes of what these labels name.
    Detect(&'a [String]),
    /// Boxes and masks of what these labels name.
    Segment(&'a [String]),
}
