use super::VitShape;
use crate::graph::{Graph, ShapeError};
use crate::models::blocks::{EncoderConfig, ImageTower, PatchOrder, Pooling, Prefix, SIGLIP, SIGLIP_POOL, VitConfig};
use crate::models::{Architecture, Encoders, Names, Part, Pass, Section};
use crate::ops::Function;

impl VitShape {
    /// A model of this shape.
    fn tower(&self) -> ImageTower {
        let Self { width, depth: layers, mlp, heads, patch, pixels: image_size, pooled } = *self;
        let encoder = EncoderConfig {
            width,
            layers,
            heads,
            mlp,
            eps: 1e-6,
            activation: Function::GeluTanh,
            qkv_bias: true,
            layer_scale: false,
            names: SIGLIP,
        };
        let (patch_order, prefix) = (PatchOrder::Channels, Prefix::default());
        ImageTower {
            vit: VitConfig { encoder, image_size, patch, patch_order, prefix },
            budget: None,
            pooling: if pooled { Pooling::Attention(SIGLIP_POOL) } else { Pooling::None },
            pooled_norm: None,
            head: None,
        }
    }
}

/// A model without weights, for what its graphs tell.
impl Architecture for VitShape {
    fn name(&self) -> &'static str {
        "vit"
    }

    fn parts(&self) -> Vec<Part> {
        vec![Part { name: "image", pass: Pass::Images(self.tower().whole()), optional: None }]
    }

    fn build(&self, pass: &Pass) -> Result<Graph, ShapeError> {
        match pass {
            Pass::Images(pass) => self.tower().pass(&Names::new("image", ""), pass),
            _ => Err(ShapeError::NoPass(format!("{pass:?}"))),
        }
    }

    fn report(&self) -> Vec<Section> {
        vec![Section { name: "image", numbers: self.tower().numbers() }]
    }

    fn encoders(&self) -> Encoders {
        Encoders { image: Some(self.tower().encoder()), text: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameters and operations of a picture, as its graph tells them.
    fn costs(shape: &VitShape) -> (u64, u64) {
        let graph = shape.build(&shape.parts()[0].pass).expect("a graph");
        (graph.weights().iter().map(|weight| (weight.rows * weight.k) as u64).sum(), graph.flop())
    }

    fn shape(text: &str, pooled: bool) -> VitShape {
        VitShape { pooled, ..text.parse().expect("it is a shape") }
    }

    /// "Getting ViT in Shape", and counts of the published SigLIPs.
    #[test]
    fn parameters_are_as_published() {
        for (text, pooled, millions) in [
            ("so400m", true, 427.7),
            ("so400m", false, 412.4),
            ("so150m", true, 137.4),
            ("b", true, 92.9),
            ("b/32@256", true, 94.6),
            ("l@256", true, 316.0),
            ("g-opt", true, 1163.2),
        ] {
            let (parameters, _) = costs(&shape(text, pooled));
            let found = parameters as f64 / 1e6;
            assert!((found - millions).abs() < 0.2, "{text}: {found} M, published are {millions}");
        }
    }

    #[test]
    fn operations_are_as_published() {
        let published = [("so400m", 220.4), ("so400m@384", 670.3), ("b", 35.4), ("b@256", 46.8), ("l@256", 162.6)];
        for (text, billions) in published {
            let (_, flop) = costs(&shape(text, true));
            let found = flop as f64 / 1e9;
            assert!((found / billions - 1.0).abs() < 0.003, "{text}: {found} GF, published are {billions}");
        }
    }

    /// 2·[n·3p²w + L·(4nw² + 2n²w + 2nwm)], and 2nw² + 2w² + 2wm + 2nw multiply-adds of the pooling head.
    #[test]
    fn operations_are_those_of_the_formula() {
        for text in ["so400m@384", "64x3x100/8@50", "sovit-0.3@100"] {
            let VitShape { width: w, depth, mlp: m, patch, .. } = shape(text, true);
            let n = shape(text, true).tokens();
            let tower = n * 3 * patch * patch * w + depth * (4 * n * w * w + 2 * n * n * w + 2 * n * w * m);
            let head = 2 * n * w * w + 2 * w * w + 2 * w * m + 2 * n * w;
            assert_eq!(costs(&shape(text, false)).1, 2 * tower as u64, "{text}");
            assert_eq!(costs(&shape(text, true)).1, 2 * (tower + head) as u64, "{text}");
        }
    }

    #[test]
    fn the_largest_shape_is_counted_without_overflow() {
        let (parameters, flop) = costs(&shape("16384x256x131072/32@8192", true));
        assert!(parameters > 1 << 40 && flop > 1 << 55 && flop < u64::MAX, "{parameters} {flop}");
    }
}
