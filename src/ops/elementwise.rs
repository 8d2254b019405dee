use super::{Bind, Emitter, Operand, Operation, ShapeFault, Shapes, Tensor, Value};
use crate::kernels::KernelId;
use crate::kernels::params::ElementwiseParams;

/// A function of single values, or of pairs of neighbouring values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// y = x: in an epilogue; a node of its own would do nothing and is refused.
    None,
    /// GELU in its tanh approximation.
    Gelu,
    /// `c * tanh(x / c)`.
    Softcap(f32),
    /// Pairs (gate, up) become `gelu_tanh(gate) * up`; halves the width.
    GeGlu,
    /// max(x, 0).
    Relu,
}

impl Activation {
    /// Width after the activation of `width` values.
    pub const fn width(self, width: usize) -> usize {
        match self {
            Self::GeGlu => width / 2,
            _ => width,
        }
    }

    /// The `act` override of the linear kernels.
    pub(super) const fn code(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Gelu => 1,
            Self::Softcap(_) => 2,
            Self::GeGlu => 3,
            Self::Relu => 4,
        }
    }

    /// The `softcap` parameter; 0 where there is none.
    pub(super) const fn softcap(self) -> f32 {
        match self {
            Self::Softcap(c) => c,
            _ => 0.0,
        }
    }
}

/// An activation on its own: `[T, D]` to `[T, D]`, or half the width after [`Activation::GeGlu`].
#[derive(Debug, Clone, PartialEq)]
pub struct Activate {
    /// What it is applied to.
    pub x: Value,
    /// Which.
    pub activation: Activation,
}

impl Operation for Activate {
    fn reads(&self) -> Vec<Operand> {
        vec![self.x.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeFault> {
        let [rows, width] = shapes.of(self.x);
        let some = self.activation != Activation::None;
        shapes.supported("the activation", "None", some, "a function that does something")?;
        let paired = self.activation != Activation::GeGlu || width.is_multiple_of(2);
        shapes.supported("the width", width, paired, "an even number: pairs of gate and up")?;
        Ok([rows, self.activation.width(width)])
    }

    fn describe(&self) -> String {
        format!("activate {:?}", self.activation)
    }

    fn row_wise(&self) -> Option<Vec<Value>> {
        Some(vec![self.x])
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let x = bind.tensor(self.x);
        activate(e, x, self.activation, out);
    }
}

/// Elementwise sum of two values of one shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Add {
    /// One.
    pub a: Value,
    /// The other.
    pub b: Value,
}

impl Add {
    /// The operand that is not `value`; `None` where both or neither are.
    pub fn other(&self, value: Value) -> Option<Value> {
        match (self.a == value, self.b == value) {
            (true, false) => Some(self.b),
            (false, true) => Some(self.a),
            _ => None,
        }
    }
}

impl Operation for Add {
    fn reads(&self) -> Vec<Operand> {
        vec![self.a.into(), self.b.into()]
    }

    fn infer(&self, shapes: &Shapes<'_>) -> Result<[usize; 2], ShapeFault> {
        let ([rows, width], [other_rows, other_width]) = (shapes.of(self.a), shapes.of(self.b));
        shapes.equal("rows of the sum", other_rows, rows)?;
        shapes.equal("width of the sum", other_width, width)?;
        Ok([rows, width])
    }

    fn describe(&self) -> String {
        "add".into()
    }

    fn row_wise(&self) -> Option<Vec<Value>> {
        Some(vec![self.a, self.b])
    }

    fn emit(&self, e: &mut Emitter<'_>, bind: &mut dyn Bind, out: Tensor) {
        let (a, b) = (bind.tensor(self.a), bind.tensor(self.b));
        add(e, a, b, out);
    }
}

/// An activation on its own: the form that fusion replaces.
pub fn activate(e: &mut Emitter, x: Tensor, activation: Activation, out: Tensor) {
    let kernel = match activation {
        Activation::None => return,
        Activation::Gelu => KernelId::Gelu,
        Activation::Softcap(_) => KernelId::Softcap,
        Activation::GeGlu => KernelId::Geglu,
        Activation::Relu => KernelId::Relu,
    };
    elementwise(e, kernel, vec![x.handle, out.handle], activation.softcap(), out);
}

/// `a + b`.
pub fn add(e: &mut Emitter, a: Tensor, b: Tensor, out: Tensor) {
    elementwise(e, KernelId::Add, vec![a.handle, b.handle, out.handle], 0.0, out);
}

fn elementwise(e: &mut Emitter, kernel: KernelId, bindings: Vec<u32>, softcap: f32, out: Tensor) {
    let params = ElementwiseParams { tokens: out.rows as u32, width: out.width as u32, softcap, ..Default::default() };
    let grid = [out.width.div_ceil(64) as u32, out.rows as u32, 1];
    e.push(kernel, bindings, &params, grid);
}
