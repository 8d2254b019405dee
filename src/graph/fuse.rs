use super::ir::{Graph, Node, Op, Origin, Step, Value};
use crate::ops::{Activation, RowChoice};

/// Two neighbouring nodes that one kernel can do: a producer and its only consumer.
pub struct Pattern {
    /// A name for dumps and tests.
    pub name: &'static str,
    /// The merged operation, if `consumer` (which reads `through`) can be folded into `producer`.
    pub merge: fn(producer: &Op, consumer: &Op, through: Value) -> Option<Op>,
}

/// The fusions, tried in order until none applies.
pub const PATTERNS: &[Pattern] = &[
    Pattern { name: "linear + activation", merge: linear_activation },
    Pattern { name: "linear + residual", merge: linear_residual },
    Pattern { name: "rms_norm + residual", merge: rms_norm_residual },
];

fn linear_activation(producer: &Op, consumer: &Op, _: Value) -> Option<Op> {
    match (producer, consumer) {
        (
            Op::Linear { x, weight, bias, residual: None, activation: Activation::None, rows, part },
            Op::Activate { activation, .. },
        ) => Some(Op::Linear {
            x: *x,
            weight: *weight,
            bias: *bias,
            residual: None,
            activation: *activation,
            rows: *rows,
            part: part.clone(),
        }),
        _ => None,
    }
}

fn linear_residual(producer: &Op, consumer: &Op, through: Value) -> Option<Op> {
    match (producer, consumer) {
        (Op::Linear { x, weight, bias, residual: None, activation, rows: RowChoice::All, part }, Op::Add { a, b }) => {
            Some(Op::Linear {
                x: *x,
                weight: *weight,
                bias: *bias,
                residual: Some(other(*a, *b, through)?),
                activation: *activation,
                rows: RowChoice::All,
                part: part.clone(),
            })
        }
        _ => None,
    }
}

fn rms_norm_residual(producer: &Op, consumer: &Op, through: Value) -> Option<Op> {
    match (producer, consumer) {
        (Op::RmsNorm { x, weight, residual: None, eps, rows: RowChoice::All }, Op::Add { a, b }) => Some(Op::RmsNorm {
            x: *x,
            weight: *weight,
            residual: Some(other(*a, *b, through)?),
            eps: *eps,
            rows: RowChoice::All,
        }),
        _ => None,
    }
}

/// The operand of a sum that is not `through`.
fn other(a: Value, b: Value, through: Value) -> Option<Value> {
    match (a == through, b == through) {
        (true, false) => Some(b),
        (false, true) => Some(a),
        _ => None,
    }
}

/// Merges neighbours by [`PATTERNS`] until none applies. Results are the same up to rounding.
///
/// A merged node stands where its consumer stood, so every operand is defined before it.
pub fn fuse(mut graph: Graph) -> Graph {
    while let Some((producer, consumer, op)) = find(&graph) {
        let Step::Node(Node { output, .. }) = graph.nodes[consumer] else { break };
        graph.nodes[consumer] = Step::Node(Node { op, output });
        graph.nodes.remove(producer);
    }
    graph
}

/// The first pair that a pattern merges: positions of producer and consumer, and the merged operation.
fn find(graph: &Graph) -> Option<(usize, usize, Op)> {
    for (i, step) in graph.nodes.iter().enumerate() {
        let Step::Node(producer) = step else { continue };
        if graph.info(producer.output).origin != Origin::Computed {
            continue;
        }
        let mut readers = graph.nodes.iter().enumerate().filter_map(|(j, s)| match s {
            Step::Node(n) if n.op.inputs().contains(&producer.output) => Some((j, n)),
            _ => None,
        });
        let (Some((j, consumer)), None) = (readers.next(), readers.next()) else { continue };
        for pattern in PATTERNS {
            if let Some(op) = (pattern.merge)(&producer.op, &consumer.op, producer.output) {
                return Some((i, j, op));
            }
        }
    }
    None
}
