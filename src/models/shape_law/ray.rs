use super::VitShape;

/// Exponents of the optimum of width, depth and MLP in compute, as fitted to 10-shot error: `x* ∝ t^s`.
pub const SCALING_EXPONENTS: [f64; 3] = [0.22, 0.45, 0.60];

/// Where the published ray starts: width, depth, MLP.
const START: [f64; 3] = [608.0, 10.0, 928.0];
/// Logarithms of the ratios from there to SoViT-400m. [`SCALING_EXPONENTS`], as rounded in print, do not meet it.
const DIRECTION: [f64; 3] = [0.639, 0.993, 1.535];
/// Width and MLP are multiples of this.
const STEP: f64 = 16.0;
/// The patch of both published shapes.
const PATCH: usize = 14;
/// The farthest point that is told.
const END: f64 = 2.0;

/// The shape at a place of the published ray: 0 is its start, 1 is SoViT-400m. `None` out of 0 to 2.
pub fn on_ray(u: f64) -> Option<VitShape> {
    if !(0.0..=END).contains(&u) {
        return None;
    }
    let at = |n: usize, step: f64| ((START[n] * (u * DIRECTION[n]).exp() / step).round() * step) as usize;
    Some(VitShape::of_blocks([at(0, STEP), at(1, 1.0), at(2, STEP)], PATCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(u: f64) -> [usize; 4] {
        let VitShape { width, depth, mlp, heads, .. } = on_ray(u).expect("it is on the ray");
        [width, depth, mlp, heads]
    }

    #[test]
    fn the_ray_goes_from_its_start_to_sovit_400m() {
        assert_eq!(blocks(0.0), [608, 10, 928, 8]);
        assert_eq!(blocks(1.0), [1152, 27, 4304, 16]);
        assert_eq!(on_ray(-0.1).or(on_ray(2.1)).or(on_ray(f64::NAN)), None);
    }

    /// SoViT-150m (880, 18, 2320) lies two steps of the MLP beside it: where the MLP rounds to 2320, the width is 896.
    #[test]
    fn sovit_150m_lies_beside_the_ray() {
        assert_eq!(blocks(0.59), [880, 18, 2288, 11]);
        assert_eq!(blocks(0.597), [896, 18, 2320, 14]);
        let meets = |n: u32| blocks(f64::from(n) / 1e4)[..3] == [880, 18, 2320];
        assert!(!(0..=10_000).any(meets));
    }
}
