use super::{Emitter, Tensor};
use crate::kernels::KernelId;
use crate::kernels::params::ElementwiseParams;

/// A function of single values, or of pairs of neighbouring values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// y = x.
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

/// An activation on its own: the form that fusion replaces.
pub fn activate(e: &mut Emitter, x: Tensor, activation: Activation, out: Tensor) {
    let kernel = match activation {
        Activation::Gelu => KernelId::Gelu,
        Activation::Softcap(_) => KernelId::Softcap,
        Activation::GeGlu => KernelId::Geglu,
        Activation::Relu => KernelId::Relu,
        Activation::None => unreachable!("the builder makes no node of an activation that does nothing"),
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
