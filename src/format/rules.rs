//! What a checkpoint of some architecture may do that a plain one does not, as data that the architecture fills in.

/// How the tensors of a checkpoint are found. The default is for tensors that are called as they are stored, all in
/// Hugging Face's weights.
#[derive(Debug, Clone, Copy)]
pub struct CheckpointRules {
    /// The one name of a tensor that releases call differently.
    pub canonical: fn(&str) -> String,
    /// Tensors that are one and the same, by their canonical names.
    pub tied: &'static [TiedTensors],
    /// Files of further weights, which may be there.
    pub extra: &'static [ExtraFile],
    /// How an archive of NumPy arrays is read where there are no other weights.
    #[cfg(feature = "npz")]
    pub archive: Option<&'static ArchiveRules>,
}

impl Default for CheckpointRules {
    fn default() -> Self {
        Self {
            canonical: str::to_owned,
            tied: &[],
            extra: &[],
            #[cfg(feature = "npz")]
            archive: None,
        }
    }
}

/// A tensor that is the same as another one: a head tied to its embedding. One of them is enough; where both are stored
/// their elements must be the same.
#[derive(Debug, Clone, Copy)]
pub struct TiedTensors {
    /// What may be left out, and is found by no name.
    pub tensor: &'static str,
    /// The name that both are found by.
    pub to: &'static str,
}

/// A file of further weights, safetensors or npz by its name.
#[derive(Debug, Clone, Copy)]
pub struct ExtraFile {
    /// Its name.
    pub file: &'static str,
    /// Stands before the names of its tensors.
    pub prefix: &'static str,
}

/// How big_vision lays out the weights of an architecture.
#[cfg(feature = "npz")]
#[derive(Debug, Clone, Copy)]
pub struct ArchiveRules {
    /// What such archives are, for messages: `PaliGemma of big_vision`.
    pub kind: &'static str,
    /// The array that no other architecture's archives have.
    pub mark: &'static str,
    /// The arrays of every archive, in groups.
    pub common: &'static [&'static [Rule]],
    /// Arrays that change what others mean: archives with one of them are not read.
    pub refused: &'static [&'static str],
    /// Further arrays: those of the first variant whose mark is there.
    pub variants: &'static [Variant],
}

/// Arrays that some archives have and others have not.
#[cfg(feature = "npz")]
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// What the architecture calls it.
    pub name: &'static str,
    /// The array that only this one has; none fits all.
    pub mark: Option<&'static str>,
    /// Its further arrays.
    pub rules: &'static [Rule],
}

/// One of big_vision's arrays.
///
/// A letter is an axis, of one extent wherever it stands. Layers are stacked on the first axis, `L` or `l`, or each has
/// an array of its own, below `encoderblock_N` instead of `encoderblock`; `2` is an axis of so many tensors, and `1` one
/// of nothing. Of several rules of one array, the first whose axes fit is its.
#[cfg(feature = "npz")]
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its name below `params/`.
    pub from: &'static str,
    /// Its axes.
    pub axes: &'static str,
    /// What it holds: as many tensors as its axis `2` has places, else one.
    pub to: &'static [Target],
}

/// A tensor of a published checkpoint.
#[cfg(feature = "npz")]
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, with `{}` for the number of the layer.
    pub name: &'static str,
    /// Axes that make its rows.
    pub rows: &'static str,
    /// Axes that make its columns.
    pub columns: &'static str,
}
