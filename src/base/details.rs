/// What an error is about, in figures, where there is something to act on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Details {
    /// Bytes that are needed.
    pub needed: Option<u64>,
    /// Bytes that there are.
    pub available: Option<u64>,
    /// A smaller choice that would do.
    pub fits: Option<Fit>,
}

/// A dtype whose weights would fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// Its name in settings and packs: `f32`, `f16`, `q8` or `q4`.
    pub dtype: &'static str,
    /// Bytes of the weights in it.
    pub bytes: u64,
}
