use std::collections::HashMap;

use super::graph::{Graph, Item, Node, Origin};
use super::plan::{ExternalKey, Plan, Program, VirtualTensor, WeightPart, plan};
use super::record::Command;
use super::split::RowChunks;
use super::weights::WeightTable;
use crate::kernels::Capabilities;
use crate::ops::{Bind, Emitter, ShapeError, ShardOperand, Tensor, Value, WeightId, WeightOperand};
use crate::quant::layout;

/// Turns a graph into a recording for a device with the given capabilities, over weights that lie as `weights` says.
///
/// Where a value would exceed the device's largest binding, the operations around it are done some rows at a time. A
/// value that must be whole stays as it is, and the player refuses it.
///
/// # Errors
/// A weight of the graph that the table lacks, or has in another shape.
pub fn lower(graph: &Graph, weights: &WeightTable, capabilities: &Capabilities) -> Result<Plan, ShapeError> {
    let placed = graph.weights().iter().map(|spec| {
        let fits = |&index: &usize| {
            let layout = &weights.layouts()[index];
            (layout.rows, layout.k) == (spec.rows, spec.k)
        };
        weights.find(&spec.name).filter(fits).ok_or_else(|| ShapeError::UnknownWeight(spec.name.clone()))
    });
    let mut lowering = Lowering {
        graph,
        table: weights,
        placed: placed.collect::<Result<_, _>>()?,
        capabilities,
        program: Program { name: graph.name.clone(), ..Default::default() },
        tensors: HashMap::new(),
        weights: HashMap::new(),
        parts: HashMap::new(),
        first_row: 0,
    };
    let most = capabilities.max_binding_bytes.min(capabilities.max_buffer_bytes);
    let mut at = 0;
    while let Some(item) = graph.items.get(at) {
        if let Some(chunks) = RowChunks::from(graph, at, most) {
            lowering.chunks(&chunks);
            at += chunks.nodes.len();
            continue;
        }
        match item {
            Item::Mark(label) => lowering.program.commands.push(Command::Mark(label.clone())),
            Item::Node(node) => lowering.emit(node),
        }
        at += 1;
    }
    Ok(plan(lowering.program))
}

struct Lowering<'a> {
    graph: &'a Graph,
    table: &'a WeightTable,
    /// Where each weight of the graph stands in the table.
    placed: Vec<usize>,
    capabilities: &'a Capabilities,
    program: Program,
    tensors: HashMap<Value, u32>,
    weights: HashMap<WeightId, WeightOperand>,
    /// In a run: the rows of its values that are being done, and the first of them.
    parts: HashMap<Value, Tensor>,
    first_row: usize,
}

impl Lowering<'_> {
    fn emit(&mut self, node: &Node) {
        let mut emitter = Emitter::new(self.capabilities);
        let out = self.tensor(node.output);
        node.op.operation().emit(&mut emitter, self, out);
        self.absorb(emitter);
    }

    /// All nodes of a run for the first rows, then for the next. Rows that come in and go out are copied: next to the
    /// matrix products in between that costs nothing, and no kernel needs to know of it.
    ///
    /// Rows behind the pass's last valid one may be computed; as always nobody reads them.
    fn chunks(&mut self, chunks: &RowChunks) {
        for first in (0..chunks.rows).step_by(chunks.chunk) {
            let rows = chunks.chunk.min(chunks.rows - first);
            self.first_row = first;
            for node in &chunks.nodes {
                for value in node.op.operation().row_wise().into_iter().flatten() {
                    // Rows that repeat stay whole.
                    if !self.is_part(value) && self.graph.rows(value) == chunks.rows {
                        let (whole, part) = (self.tensor(value), self.part(value, rows));
                        self.copy_rows(whole, first, part, 0, rows);
                    }
                }
                let part = self.part(node.output, rows);
                self.emit(node);
                if chunks.leaves(self.graph, node.output) {
                    let whole = self.whole(node.output);
                    self.copy_rows(part, 0, whole, first, rows);
                }
            }
            self.parts.clear();
        }
        self.first_row = 0;
    }

    /// A tensor for some rows of a value, which stands for it until the rows are done.
    fn part(&mut self, value: Value, rows: usize) -> Tensor {
        let info = self.graph.info(value);
        let part = Tensor { handle: self.declare(&info.name, rows * info.width * 4, None), rows, width: info.width };
        self.parts.insert(value, part);
        part
    }

    fn copy_rows(&mut self, from: Tensor, from_row: usize, to: Tensor, to_row: usize, rows: usize) {
        let row = from.width * 4;
        let (from_offset, to_offset) = (from_row * row, to_row * row);
        let copy = Command::Copy { from: from.handle, from_offset, to: to.handle, to_offset, bytes: rows * row };
        self.program.commands.push(copy);
    }

    /// The tensor of a value, made when first asked for. A weight used as a tensor is a single f32 shard.
    fn whole(&mut self, value: Value) -> Tensor {
        let info = self.graph.info(value);
        let handle = match self.tensors.get(&value) {
            Some(&handle) => handle,
            None => {
                let external = match info.origin {
                    Origin::Computed => None,
                    Origin::State(state) => Some(ExternalKey::State(self.graph.state_spec(state).name.clone())),
                    Origin::Weight(weight) => Some(ExternalKey::Weight {
                        weight: self.placed[weight.0 as usize],
                        shard: 0,
                        part: WeightPart::Data,
                    }),
                };
                let handle = self.declare(&info.name, info.rows * info.width * 4, external);
                self.tensors.insert(value, handle);
                handle
            }
        };
        Tensor { handle, rows: info.rows, width: info.width }
    }

    fn declare(&mut self, label: &str, bytes: usize, external: Option<ExternalKey>) -> u32 {
        self.program.tensors.push(VirtualTensor { label: label.into(), bytes: bytes.max(4), external });
        self.program.tensors.len() as u32 - 1
    }

    /// Takes over what an operation emitted; its temporaries become tensors of the program.
    fn absorb(&mut self, emitter: Emitter) {
        let (dispatches, temporaries) = emitter.finish();
        let first = self.program.tensors.len() as u32;
        for bytes in temporaries {
            self.declare("temporary", bytes, None);
        }
        for mut dispatch in dispatches {
            for binding in &mut dispatch.bindings {
                if let Some(n) = Emitter::temporary(*binding) {
                    *binding = first + n;
                }
            }
            self.program.commands.push(Command::Dispatch(dispatch));
        }
    }
}

impl Bind for Lowering<'_> {
    fn tensor(&mut self, value: Value) -> Tensor {
        self.parts.get(&value).copied().unwrap_or_else(|| self.whole(value))
    }

    fn weight(&mut self, weight: WeightId) -> WeightOperand {
        if let Some(operand) = self.weights.get(&weight) {
            return operand.clone();
        }
        let placed = self.placed[weight.0 as usize];
        let lies = &self.table.layouts()[placed];
        let bytes = layout(lies.dtype, lies.k);
        let shards = lies.shards.iter().enumerate().map(|(shard, range)| {
            let key = |part| Some(ExternalKey::Weight { weight: placed, shard, part });
            let label = format!("{}[{}..{}]", lies.name, range.start, range.end);
            ShardOperand {
                first_row: range.start,
                rows: range.len(),
                skip: 0,
                data: self.declare(&label, bytes.data_bytes(range.len()), key(WeightPart::Data)),
                scales: (bytes.row_scales > 0)
                    .then(|| self.declare(&label, bytes.scale_bytes(range.len()), key(WeightPart::Scales))),
            }
        });
        let operand = WeightOperand { dtype: lies.dtype, rows: lies.rows, k: lies.k, shards: shards.collect() };
        self.weights.insert(weight, operand.clone());
        operand
    }

    fn first_row(&self) -> usize {
        self.first_row
    }

    fn is_part(&self, value: Value) -> bool {
        self.parts.contains_key(&value)
    }
}
