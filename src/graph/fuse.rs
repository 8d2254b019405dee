use super::graph::{Graph, Item, Node, Origin};
use crate::ops::{Activate, Activation, Add, Linear, Op, Operand, RmsNorm, RowChoice, Shapes, Value};

/// Two neighbouring nodes that one kernel can do: a producer and its only consumer.
pub struct Pattern {
    /// A name for dumps and tests.
    pub name: &'static str,
    /// The merged operation, if `consumer` (which reads `through`) can be folded into `producer`.
    pub merge: fn(producer: &Op, consumer: &Op, through: Value) -> Option<Op>,
}

/// The fusions, tried in order.
pub const PATTERNS: &[Pattern] = &[
    Pattern { name: "linear + activation", merge: linear_activation },
    Pattern { name: "linear + residual", merge: linear_residual },
    Pattern { name: "rms_norm + residual", merge: rms_norm_residual },
];

fn linear_activation(producer: &Op, consumer: &Op, _: Value) -> Option<Op> {
    match (producer, consumer) {
        (
            Op::Linear(linear @ Linear { residual: None, activation: Activation::None, .. }),
            Op::Activate(Activate { activation, .. }),
        ) => Some(Linear { activation: *activation, ..linear.clone() }.into()),
        _ => None,
    }
}

fn linear_residual(producer: &Op, consumer: &Op, through: Value) -> Option<Op> {
    match (producer, consumer) {
        (Op::Linear(linear @ Linear { residual: None, rows: RowChoice::All, .. }), Op::Add(add)) => {
            with_residual(add, through, |residual| Linear { residual, ..linear.clone() })
        }
        _ => None,
    }
}

fn rms_norm_residual(producer: &Op, consumer: &Op, through: Value) -> Option<Op> {
    match (producer, consumer) {
        (Op::RmsNorm(norm @ RmsNorm { residual: None, rows: RowChoice::All, .. }), Op::Add(add)) => {
            with_residual(add, through, |residual| RmsNorm { residual, ..norm.clone() })
        }
        _ => None,
    }
}

fn with_residual<O: Into<Op>>(add: &Add, through: Value, merged: impl Fn(Option<Value>) -> O) -> Option<Op> {
    add.other(through).map(|other| merged(Some(other)).into())
}

/// Merges neighbours by [`PATTERNS`]. Results are the same up to rounding.
///
/// A merged node stands where its consumer stood, so every operand is defined before it, and it may be the producer of
/// the next merge. Merging never changes who reads the values of later nodes, so that readers are counted once.
pub fn fuse(mut graph: Graph) -> Graph {
    let readers = readers(&graph);
    let mut merged_away = vec![false; graph.items.len()];
    for (at, merged_away) in merged_away.iter_mut().enumerate() {
        let Item::Node(Node { op, output }) = &graph.items[at] else { continue };
        let [consumer] = readers[output.0 as usize][..] else { continue };
        if graph.info(*output).origin != Origin::Computed {
            continue;
        }
        let Item::Node(reader) = &graph.items[consumer] else { continue };
        let merge = PATTERNS.iter().find_map(|pattern| (pattern.merge)(op, &reader.op, *output));
        let merge = merge.filter(|merged| gives(&graph, merged, reader.output));
        if let (Some(merged), Item::Node(node)) = (merge, &mut graph.items[consumer]) {
            node.op = merged;
            *merged_away = true;
        }
    }
    let mut merged_away = merged_away.into_iter();
    graph.items.retain(|_| merged_away.next() != Some(true));
    graph
}

/// Whether an operation takes its operands and gives the shape of a value: rows of a sum may repeat, those of a residual
/// do not.
fn gives(graph: &Graph, op: &Op, value: Value) -> bool {
    let info = graph.info(value);
    let shape = op.operation().infer(&Shapes::new(&info.name, graph));
    shape.is_ok_and(|shape| shape == [info.rows, info.width])
}

/// The places of the nodes that read each value.
fn readers(graph: &Graph) -> Vec<Vec<usize>> {
    let mut readers = vec![Vec::new(); graph.values.len()];
    for (at, item) in graph.items.iter().enumerate() {
        let Item::Node(node) = item else { continue };
        let mut reads = node.op.operation().reads();
        reads.dedup();
        for operand in reads {
            if let Operand::Value(value) = operand {
                readers[value.0 as usize].push(at);
            }
        }
    }
    readers
}
