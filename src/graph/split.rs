//! Values that no binding of a device holds: runs of operations that go row by row are done some rows at a time.

use super::graph::{Graph, Item, Node, Origin};
use crate::ops::Value;

/// Neighbouring nodes that are done for some rows from the first to the last node, then for the next rows.
pub(super) struct RowChunks<'a> {
    /// The nodes, in order.
    pub nodes: Vec<&'a Node>,
    /// T, rows of every value that they define.
    pub rows: usize,
    /// Rows done at a time.
    pub chunk: usize,
}

/// Chunks are multiples of this where one fits: the height of the tallest tile of the serial kernels.
const TALL: usize = 16;

impl<'a> RowChunks<'a> {
    /// The shortest run from node `at` on that keeps values above `most` bytes to itself.
    ///
    /// `None` if the node's value fits, or if an operation that reads it needs all its rows at once.
    pub fn from(graph: &'a Graph, at: usize, most: usize) -> Option<Self> {
        let wide = |value| {
            let info = graph.info(value);
            info.origin == Origin::Computed && info.rows * info.width * 4 > most
        };
        let (mut nodes, mut end, mut width) = (Vec::new(), at, 1);
        let rows = match &graph.items[at] {
            Item::Node(node) if wide(node.output) => graph.rows(node.output),
            _ => return None,
        };
        while at + nodes.len() <= end {
            let Some(Item::Node(node)) = graph.items.get(at + nodes.len()) else { return None };
            node.op.operation().row_wise()?;
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
        let inside = self.nodes.iter().filter(|node| node.reads(value)).count();
        let readers = graph.nodes().filter(|node| node.reads(value)).count();
        graph.info(value).origin != Origin::Computed || readers > inside
    }
}

fn last_reader(graph: &Graph, value: Value) -> Option<usize> {
    graph.items.iter().rposition(|item| matches!(item, Item::Node(node) if node.reads(value)))
}
