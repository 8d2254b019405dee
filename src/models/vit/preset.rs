//! timm's vision transformers by name: what their builders in `timm/models/vision_transformer.py` (1.0.31) say.

use crate::ops::Function;

/// The blocks of a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// D.
    pub width: usize,
    /// L.
    pub depth: usize,
    /// H.
    pub heads: usize,
    /// F as a multiple of D, cut to a whole number.
    pub mlp_ratio: f64,
}

/// How a family pools by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// The class row, unless the checkpoint says otherwise.
    Token,
    /// A pooling head, no class row.
    Map,
    /// The mean of rows after the norm, no class row.
    Mean,
    /// The mean of rows, then a norm, no class row.
    MeanThenNorm,
}

/// Architectures that differ in the size of their pictures alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Family {
    /// Their name, without the size of pictures at its end.
    pub name: &'static str,
    /// The sizes that there are.
    pub sizes: &'static [usize],
    /// Their blocks.
    pub shape: Shape,
    /// Pixels along one side of a patch.
    pub patch: usize,
    /// How they pool.
    pub pool: Pool,
    /// Between the MLP's layers.
    pub activation: Function,
    /// Register rows.
    pub registers: usize,
    /// Whether the table of positions has no rows for class row and registers.
    pub no_embed_class: bool,
    /// Whether queries, keys and values have biases.
    pub qkv_bias: bool,
    /// Whether branches are scaled.
    pub layer_scale: bool,
}

const fn shape(width: usize, depth: usize, heads: usize, mlp_ratio: f64) -> Shape {
    Shape { width, depth, heads, mlp_ratio }
}

const TINY: Shape = shape(192, 12, 3, 4.0);
const SMALL: Shape = shape(384, 12, 6, 4.0);
const BASE: Shape = shape(768, 12, 12, 4.0);
const LARGE: Shape = shape(1024, 24, 16, 4.0);
const SO150M: Shape = shape(896, 18, 14, 2.572);
const SO150M2: Shape = shape(832, 21, 13, 34.0 / 13.0);
const SO400M: Shape = shape(1152, 27, 16, 3.7362);
const GIANT_OPT: Shape = shape(1536, 40, 16, 4.0);

const fn family(name: &'static str, sizes: &'static [usize], shape: Shape, patch: usize, pool: Pool) -> Family {
    Family {
        name,
        sizes,
        shape,
        patch,
        pool,
        activation: Function::GeluErf,
        registers: 0,
        no_embed_class: false,
        qkv_bias: true,
        layer_scale: false,
    }
}

/// The same with GELU in its tanh approximation.
const fn tanh(family: Family) -> Family {
    Family { activation: Function::GeluTanh, ..family }
}

use Pool::{Map, Mean, MeanThenNorm, Token};

/// Every family that is known.
pub const FAMILIES: &[Family] = &[
    family("vit_tiny_patch16", &[224, 384], TINY, 16, Token),
    family("vit_small_patch32", &[224, 384], SMALL, 32, Token),
    family("vit_small_patch16", &[224, 384], SMALL, 16, Token),
    family("vit_small_patch8", &[224], SMALL, 8, Token),
    family("vit_base_patch32", &[224, 384], BASE, 32, Token),
    family("vit_base_patch16", &[224, 384], BASE, 16, Token),
    family("vit_base_patch8", &[224], BASE, 8, Token),
    family("vit_large_patch32", &[224, 384], LARGE, 32, Token),
    family("vit_large_patch16", &[224, 384], LARGE, 16, Token),
    family("vit_large_patch14", &[224], LARGE, 14, Token),
    family("vit_base_patch16_gap", &[224], shape(768, 12, 16, 4.0), 16, Mean),
    Family {
        registers: 4,
        no_embed_class: true,
        ..family("vit_base_patch16_reg4_gap", &[256], BASE, 16, MeanThenNorm)
    },
    tanh(family("vit_base_patch32_siglip", &[256], BASE, 32, Map)),
    family("vit_base_patch16_siglip", &[224, 256, 384, 512], BASE, 16, Map),
    family("vit_large_patch16_siglip", &[256, 384], LARGE, 16, Map),
    tanh(family("vit_large_patch16_siglip", &[512], LARGE, 16, Map)),
    family("vit_so400m_patch14_siglip", &[224, 378, 384], SO400M, 14, Map),
    tanh(family("vit_so400m_patch16_siglip", &[256, 384, 512], SO400M, 16, Map)),
    tanh(family("vit_giantopt_patch16_siglip", &[256, 384], GIANT_OPT, 16, Map)),
    tanh(family("vit_base_patch32_siglip_gap", &[256], BASE, 32, Mean)),
    family("vit_base_patch16_siglip_gap", &[224, 256, 384, 512], BASE, 16, Mean),
    family("vit_large_patch16_siglip_gap", &[256, 384], LARGE, 16, Mean),
    tanh(family("vit_large_patch16_siglip_gap", &[512], LARGE, 16, Mean)),
    family("vit_so400m_patch14_siglip_gap", &[224, 378, 384, 448, 896], SO400M, 14, Mean),
    tanh(family("vit_so400m_patch16_siglip_gap", &[256, 384, 512], SO400M, 16, Mean)),
    tanh(family("vit_giantopt_patch16_siglip_gap", &[256, 384], GIANT_OPT, 16, Mean)),
    Family { registers: 4, ..family("vit_so150m_patch16_reg4_map", &[256], SO150M, 16, Map) },
    Family { registers: 4, ..family("vit_so150m_patch16_reg4_gap", &[256, 384], SO150M, 16, Mean) },
    Family {
        registers: 1,
        qkv_bias: false,
        layer_scale: true,
        ..family("vit_so150m2_patch16_reg1_gap", &[256, 384, 448], SO150M2, 16, MeanThenNorm)
    },
];

impl Family {
    /// The family of an architecture, and the size of its pictures.
    pub fn find(architecture: &str) -> Option<(&'static Self, usize)> {
        let (name, size) = architecture.rsplit_once('_')?;
        let size = size.parse().ok()?;
        let family = FAMILIES.iter().find(|family| family.name == name && family.sizes.contains(&size))?;
        Some((family, size))
    }

    /// The names of its architectures, such as `vit_tiny_patch16_{224,384}`.
    pub fn names(&self) -> String {
        let sizes: Vec<String> = self.sizes.iter().map(usize::to_string).collect();
        match sizes.as_slice() {
            [size] => format!("{}_{size}", self.name),
            _ => format!("{}_{{{}}}", self.name, sizes.join(",")),
        }
    }
}
