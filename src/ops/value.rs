/// A value of a graph: a matrix `[rows, width]` of f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub(crate) u32);

/// A weight matrix of a graph, in whatever dtype its device keeps it.
///
/// Norms, biases and tables that are always f32 are [`Value`]s; what takes a `WeightId` takes every dtype.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WeightId(pub(crate) u32);

/// What an operation reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A matrix of f32.
    Value(Value),
    /// A weight in its own dtype.
    Weight(WeightId),
}

impl From<Value> for Operand {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<WeightId> for Operand {
    fn from(weight: WeightId) -> Self {
        Self::Weight(weight)
    }
}
