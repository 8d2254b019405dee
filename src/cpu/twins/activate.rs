//! `activate`: a function of every value, or of the first of every pair, times the second.

use crate::cpu::call::{Call, size};
use crate::cpu::{CpuError, activation};
use crate::kernels::params::ActivateParams;
use crate::kernels::{Activation, Function};

/// The values that a function is taken of.
pub(in crate::cpu) enum Values<'a> {
    /// `[T, D]`.
    Single(&'a [f32]),
    /// `[T, D]` of gate and up.
    Pairs(&'a [[f32; 2]]),
}

/// The function, its input and `out [T, D]`.
pub(in crate::cpu) fn bind<'a>(call: &mut Call<'a>) -> Result<(Function, Values<'a>, &'a mut [f32]), CpuError> {
    let p: ActivateParams = call.params()?;
    let count = size(&[call.tokens(p.tokens), p.width as usize]);
    let (function, values) = match call.activation(p.act, p.gated, p.cap)? {
        Activation::Map(function) => (function, Values::Single(call.read(0, count)?)),
        Activation::Gated(function) => (function, Values::Pairs(call.read(0, count)?)),
        Activation::None => return Err(call.unknown_activation(p.act)),
    };
    Ok((function, values, call.write(1, count)?))
}

pub(in crate::cpu) fn run(call: &mut Call<'_>) -> Result<(), CpuError> {
    let (function, values, out) = bind(call)?;
    match values {
        Values::Single(x) => out.iter_mut().zip(x).for_each(|(o, x)| *o = activation::plain(function, *x)),
        Values::Pairs(x) => {
            out.iter_mut().zip(x).for_each(|(o, [gate, up])| *o = activation::plain(function, *gate) * up);
        }
    }
    Ok(())
}
