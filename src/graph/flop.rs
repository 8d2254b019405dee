use super::Graph;
use crate::ops::{Attention, AttentionSpec, Extents, KeySource, Linear, Mask, Op};

impl Graph {
    /// Floating-point operations of its matrix products and attentions with every row valid, a multiply-add being two:
    /// next to them, nothing else counts.
    pub fn flop(&self) -> u64 {
        let multiply_adds = self.nodes().map(|node| match &node.op {
            Op::Linear(linear) => self.of_linear(linear),
            Op::Attention(attention) => self.of_attention(attention),
            _ => 0,
        });
        multiply_adds.fold(0u64, u64::saturating_add).saturating_mul(2)
    }

    fn of_linear(&self, linear: &Linear) -> u64 {
        let [all, k] = self.weight(linear.weight);
        let n = linear.part.as_ref().map_or(all, |part| part.len());
        product([linear.rows.count(self.rows(linear.x)), n, k])
    }

    /// Queries by keys, and scores by values.
    fn of_attention(&self, attention: &Attention) -> u64 {
        let AttentionSpec { heads, head_dim, source, mask, sequence_rows, .. } = attention.spec;
        let queries = self.rows(attention.q);
        let keys = match source {
            KeySource::Rows => sequence_rows.unwrap_or(queries),
            KeySource::Cache { capacity } => capacity,
            KeySource::Memory { rows, .. } => rows,
        };
        let seen = match mask {
            Mask::Prefix { window: Some(window) } => keys.min(window),
            Mask::Prefix { window: None } | Mask::Full => keys,
        };
        product([2, queries, seen, heads * head_dim])
    }
}

fn product<const N: usize>(factors: [usize; N]) -> u64 {
    factors.into_iter().fold(1, |product, factor| product.saturating_mul(factor as u64))
}
