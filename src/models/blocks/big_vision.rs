//! How big_vision lays out the blocks of a transformer encoder.
//!
//! <https://github.com/google-research/big_vision>: `models/vit.py`.

use crate::format::{Rule, Target};

/// An array and what it holds.
pub const fn rule(from: &'static str, axes: &'static str, to: &'static [Target]) -> Rule {
    Rule { from, axes, to }
}

/// A tensor by the axes of its rows and columns.
pub const fn to(name: &'static str, rows: &'static str, columns: &'static str) -> Target {
    Target { name, rows, columns }
}

/// The rules of the blocks below `$from`, which Hugging Face has below `$to`, with these letters for layers, width, heads,
/// width of a head and MLP. Whoever calls it has [`rule`] and [`to`] in scope.
macro_rules! encoder_rules {
    ($from:literal, $to:literal, $l:literal $e:literal $a:literal $k:literal $m:literal) => {
        [
            rule(
                concat!($from, "/LayerNorm_0/scale"),
                concat!($l, $e),
                &[to(concat!($to, ".layer_norm1.weight"), $e, "")],
            ),
            rule(
                concat!($from, "/LayerNorm_0/bias"),
                concat!($l, $e),
                &[to(concat!($to, ".layer_norm1.bias"), $e, "")],
            ),
            rule(
                concat!($from, "/LayerNorm_1/scale"),
                concat!($l, $e),
                &[to(concat!($to, ".layer_norm2.weight"), $e, "")],
            ),
            rule(
                concat!($from, "/LayerNorm_1/bias"),
                concat!($l, $e),
                &[to(concat!($to, ".layer_norm2.bias"), $e, "")],
            ),
            rule(
                concat!($from, "/MultiHeadDotProductAttention_0/query/kernel"),
                concat!($l, $e, $a, $k),
                &[to(concat!($to, ".self_attn.q_proj.weight"), concat!($a, $k), $e)],
            ),
            rule(
                concat!($from, "/MultiHeadDotProductAttention_0/query/bias"),
                concat!($l, $a, $k),
                &[to(concat!($to, ".self_attn.q_proj.bias"), concat!($a, $k), "")],
            ),
            rule(
                concat!($from, "/MultiHeadDotProductAttention_0/key/kernel"),
                concat!($l, $e, $a, $k),
                &[to(concat!($to, ".self_attn.k_proj.weight"), concat!($a, $k), $e)],
            ),
            rule(
                concat!($from, "/MultiHeadDotProductAttention_0/key/bias"),
                concat!($l, $a, $k),
                &[to(concat!($to, ".self_attn.k_proj.bias"), concat!($a, $k), "")],
            ),
            rule(
                concat!($from, "/MultiHeadDotProductAttention_0/value/kernel"),
                concat!($l, $e, $a, $k),
                &[to(concat!($to, ".self_attn.v_proj.weight"), concat!($a, $k), $e)],
            ),
            rule(
                concat!($from, "/MultiHeadDotProductAttention_0/value/bias"),
                concat!($l, $a, $k),
                &[to(concat!($to, ".self_attn.v_proj.bias"), concat!($a, $k), "")],
            ),
            rule(
                concat!($from, "/MultiHeadDotProductAttention_0/out/kernel"),
                concat!($l, $a, $k, $e),
                &[to(concat!($to, ".self_attn.out_proj.weight"), $e, concat!($a, $k))],
            ),
            rule(
                concat!($from, "/MultiHeadDotProductAttention_0/out/bias"),
                concat!($l, $e),
                &[to(concat!($to, ".self_attn.out_proj.bias"), $e, "")],
            ),
            rule(
                concat!($from, "/MlpBlock_0/Dense_0/kernel"),
                concat!($l, $e, $m),
                &[to(concat!($to, ".mlp.fc1.weight"), $m, $e)],
            ),
            rule(
                concat!($from, "/MlpBlock_0/Dense_0/bias"),
                concat!($l, $m),
                &[to(concat!($to, ".mlp.fc1.bias"), $m, "")],
            ),
            rule(
                concat!($from, "/MlpBlock_0/Dense_1/kernel"),
                concat!($l, $m, $e),
                &[to(concat!($to, ".mlp.fc2.weight"), $e, $m)],
            ),
            rule(
                concat!($from, "/MlpBlock_0/Dense_1/bias"),
                concat!($l, $e),
                &[to(concat!($to, ".mlp.fc2.bias"), $e, "")],
            ),
        ]
    };
}

pub(in crate::models) use encoder_rules;
