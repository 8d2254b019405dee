//! Values that no binding of a device holds: runs of operations that go row by row are done some rows at a time.

use super::ir::{Graph, Node, Op, Origin, Step, Value};
use crate::ops::RowChoice;

/// Neighbouring nodes that are done for some rows from the first to the last node, then for the next rows.
pub(super) struct Run<'a> {
    /// The nodes, in order.
    pub nodes: Vec<&'a Node>,
    /// T, rows of every value that they define.
    pub rows: usize,
    /// Rows done at a time.
    pub chunk: usize,
}

/// Chunks are multiples of this where one fits: the height of the tallest tile of the serial kernels.
const TALL: usize = 16;

impl<'a> Run<'a> {
    /// The shortest run from node `at` on that keeps values above `most` bytes to itself.
    ///
    /// `None` if the node's value fits, or if an operation that reads it needs all its rows at once.
    pub fn from(graph: &'a Graph, at: usize, most: usize) -> Option<Self> {
        let wide = |value| {
            let info = graph.info(value);
            info.origin == Origin::Computed && info.rows * info.width * 4 > most
        };
        let (mut nodes, mut end, mut width) = (Vec::new(), at, 1);
        let rows = match &graph.nodes[at] {
            Step::Node(node) if wide(node.output) => graph.rows(node.output),
            _ => return None,
        };
        while at + nodes.len() <= end {
            let Step::Node(node) = &graph.nodes[at + nodes.len()] else { return None };
            row_operands(&node.op)?;
            if graph.rows(node.output) != rows {
                return None;
            }
            if wide(node.output) {
                end = end.max(last_reader(graph, node.output)?);
                width = width.max(graph.width(node.output));
            }
            nodes.push(node);
        }
        let fitting = match most / (4 * width) {
            fitting @ TALL.. => fitting / TALL * TALL,
            fitting => fitting,
        };
        // Chunks of about the same size: a last one of few rows would be slow.
        let even = rows.div_ceil(rows.div_ceil(fitting.max(1)));
        let chunk = even.next_multiple_of(TALL).min(fitting);
        (chunk > 0).then_some(Self { nodes, rows, chunk })
    }

    /// Whether a node after the run, or the session, needs a value that the run defines.
    pub fn leaves(&self, graph: &Graph, value: Value) -> bool {
        let inside = self.nodes.iter().filter(|node| node.op.inputs().contains(&value)).count();
        let readers = graph.nodes().filter(|node| node.op.inputs().contains(&value)).count();
        graph.info(value).origin != Origin::Computed || readers > inside
    }
}

/// The operands of which row n alone goes into row n of the output; `None` if rows depend on each other.
pub(super) fn row_operands(op: &Op) -> Option<Vec<Value>> {
    match op {
        Op::Linear { x, residual, rows: RowChoice::All, .. }
        | Op::RmsNorm { x, residual, rows: RowChoice::All, .. } => {
            Some([Some(*x), *residual].into_iter().flatten().collect())
        }
        Op::LayerNorm { x, .. } | Op::Activate { x, .. } | Op::RopeAppend { qkv: x, .. } => Some(vec![*x]),
        Op::Add { a, b } => Some(vec![*a, *b]),
        Op::LogSoftmax { logits, ids } => Some(vec![*logits, *ids]),
        _ => None,
    }
}

fn last_reader(graph: &Graph, value: Value) -> Option<usize> {
    graph.nodes.iter().rposition(|step| matches!(step, Step::Node(node) if node.op.inputs().contains(&value)))
}
