/// A function of one value, as shaders and the CPU have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// GELU in its tanh approximation: `x / 2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))`.
    GeluTanh,
    /// `c * tanh(x / c)`.
    Softcap(f32),
    /// `max(x, 0)`.
    Relu,
    /// GELU itself: `x / 2 * (1 + erf(x / sqrt(2)))`.
    GeluErf,
    /// `x / (1 + exp(-x))`.
    Silu,
}

impl Function {
    /// Every function; `cap` is the softcap's.
    pub const fn all(cap: f32) -> [Self; 5] {
        [Self::GeluTanh, Self::Softcap(cap), Self::Relu, Self::GeluErf, Self::Silu]
    }

    /// The number of its case in `shaders/lib/activation.wgsl`; 0 is no function.
    pub const fn code(self) -> u32 {
        match self {
            Self::GeluTanh => 1,
            Self::Softcap(_) => 2,
            Self::Relu => 3,
            Self::GeluErf => 4,
            Self::Silu => 5,
        }
    }

    const fn cap(self) -> f32 {
        match self {
            Self::Softcap(cap) => cap,
            _ => 0.0,
        }
    }
}

/// What a kernel does to values before it writes them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// Nothing.
    None,
    /// A function of each value.
    Map(Function),
    /// Neighbouring values (gate, up) become `function(gate) * up`: half as many.
    Gated(Function),
}

impl Activation {
    /// The function, if there is one.
    pub const fn function(self) -> Option<Function> {
        match self {
            Self::None => None,
            Self::Map(function) | Self::Gated(function) => Some(function),
        }
    }

    /// Whether values come in pairs of gate and up.
    pub const fn is_gated(self) -> bool {
        matches!(self, Self::Gated(_))
    }

    /// Values that `width` values become.
    pub const fn width(self, width: usize) -> usize {
        if self.is_gated() { width / 2 } else { width }
    }

    /// The parameter `act` of kernels.
    pub fn code(self) -> u32 {
        self.function().map_or(0, Function::code)
    }

    /// The parameter `cap` of kernels; 0 where the function has none.
    pub fn cap(self) -> f32 {
        self.function().map_or(0.0, Function::cap)
    }

    /// The activation that a kernel's parameters `act`, `gated` and `cap` mean.
    pub fn of_params(act: u32, gated: u32, cap: f32) -> Option<Self> {
        let function = Function::all(cap).into_iter().find(|function| function.code() == act);
        match (act, gated, function) {
            (0, 0, _) => Some(Self::None),
            (_, 0, Some(function)) => Some(Self::Map(function)),
            (_, 1, Some(function)) => Some(Self::Gated(function)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_mean_the_activation_that_they_were_made_of() {
        let functions = Function::all(2.5);
        let maps = functions.map(Activation::Map).into_iter().chain(functions.map(Activation::Gated));
        for activation in maps.chain([Activation::None]) {
            let gated = u32::from(activation.is_gated());
            let read = Activation::of_params(activation.code(), gated, activation.cap());
            assert_eq!(read, Some(activation));
        }
        for [act, gated] in [[0, 1], [1, 2], [functions.len() as u32 + 1, 0]] {
            assert_eq!(Activation::of_params(act, gated, 1.0), None, "act {act}, gated {gated}");
        }
    }
}
