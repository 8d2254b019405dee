use super::{Emitter, Operand, ShapeError, Shapes, Tensor, Value, WeightId, WeightOperand};

/// What stands for the operands of an operation while it is lowered.
pub trait Bind {
    /// The tensor of a value.
    fn tensor(&mut self, value: Value) -> Tensor;
    /// The shards of a weight.
    fn weight(&mut self, weight: WeightId) -> WeightOperand;
    /// Row of the pass that is row 0 of the tensors: not 0 where a pass is done some rows at a time.
    fn first_row(&self) -> usize;
    /// Whether the tensor of a value is only its rows from [`first_row`](Self::first_row) on.
    fn is_part(&self, value: Value) -> bool;
}

/// One operation: what it reads and writes, what comes out, and the kernels that do it.
pub trait Operation {
    /// What it reads, in the order of its formula.
    fn reads(&self) -> Vec<Operand>;

    /// What it writes besides its output: caches, the ids that the next pass takes.
    fn writes(&self) -> Vec<Value> {
        Vec::new()
    }

    /// Rows and width of the output.
    ///
    /// # Errors
    /// Operands that disagree, or that no kernel can work with.
    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeError>;

    /// Its name and numbers, without operands, for dumps.
    fn describe(&self) -> String;

    /// The operands of which row n alone goes into row n of the output; `None` if rows depend on each other. Those with
    /// fewer rows than the output repeat.
    fn row_wise(&self) -> Option<Vec<Value>> {
        None
    }

    /// Its dispatches.
    fn emit(&self, emitter: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor);
}

/// The closed set of operations, each a struct in a file of its family.
macro_rules! operations {
    ($($name:ident),* $(,)?) => {
        /// An operation with its operands. See the structs for shapes, and the kernels of the same names for formulas.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "each is documented where it is defined")]
        pub enum Op {
            $($name($name)),*
        }

        impl Op {
            /// What all operations have.
            pub fn operation(&self) -> &dyn Operation {
                match self {
                    $(Self::$name(op) => op),*
                }
            }
        }

        $(impl From<$name> for Op {
            fn from(op: $name) -> Self {
                Self::$name(op)
            }
        })*
    };
}
pub(super) use operations;
