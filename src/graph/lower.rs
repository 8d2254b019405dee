use std::collections::HashMap;

use super::ir::{Graph, Node, Op, Origin, Step, Value};
use super::plan::{ExternalKey, Plan, Program, VirtualTensor, WeightPart, plan};
use super::record::Command;
use super::split::{Run, row_operands};
use crate::kernels::Capabilities;
use crate::ops::{self, Emitter, ShardOperand, Tensor, WeightOperand};
use crate::quant::layout;

/// Turns a graph into a recording for a device with the given capabilities.
///
/// Where a value would exceed the device's largest binding, the operations around it are done some rows at a time. A
/// value that must be whole stays as it is, and the player refuses it.
pub fn lower(graph: &Graph, capabilities: &Capabilities) -> Plan {
    let mut lowering = Lowering {
        graph,
        capabilities,
        program: Program { name: graph.name.clone(), ..Default::default() },
        tensors: HashMap::new(),
        weights: HashMap::new(),
        parts: HashMap::new(),
        first_row: 0,
    };
    let most = capabilities.max_binding_bytes.min(capabilities.max_buffer_bytes);
    let mut at = 0;
    while let Some(step) = graph.nodes.get(at) {
        if let Some(run) = Run::from(graph, at, most) {
            lowering.run(&run);
            at += run.nodes.len();
            continue;
        }
        match step {
            Step::Mark(label) => lowering.program.commands.push(Command::Mark(label.clone())),
            Step::Node(node) => lowering.emit(node),
        }
        at += 1;
    }
    plan(lowering.program)
}

struct Lowering<'a> {
    graph: &'a Graph,
    capabilities: &'a Capabilities,
    program: Program,
    tensors: HashMap<Value, u32>,
    weights: HashMap<Value, WeightOperand>,
    /// In a run: the rows of its values that are being done, and the first of them.
    parts: HashMap<Value, Tensor>,
    first_row: usize,
}

impl Lowering<'_> {
    fn emit(&mut self, node: &Node) {
        let mut emitter = Emitter::new(self.capabilities);
        self.node(&mut emitter, &node.op, node.output);
        self.absorb(emitter);
    }

    /// All nodes of a run for the first rows, then for the next. Rows that come in and go out are copied: next to the
    /// matrix products in between that costs nothing, and no kernel needs to know of it.
    ///
    /// Rows behind the pass's last valid one may be computed; as always nobody reads them.
    fn run(&mut self, run: &Run) {
        for first in (0..run.rows).step_by(run.chunk) {
            let rows = run.chunk.min(run.rows - first);
            self.first_row = first;
            for node in &run.nodes {
                for value in row_operands(&node.op).into_iter().flatten() {
                    if !self.parts.contains_key(&value) {
                        let (whole, part) = (self.tensor(value), self.part(value, rows));
                        self.copy_rows(whole, first, part, 0, rows);
                    }
                }
                let part = self.part(node.output, rows);
                self.emit(node);
                if run.leaves(self.graph, node.output) {
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

    /// The dispatches of one node.
    fn node(&mut self, e: &mut Emitter, op: &Op, output: Value) {
        let out = self.tensor(output);
        match op {
            Op::Embed { ids, table, features, scale } => {
                let (ids, table) = (self.tensor(*ids), self.weight(*table));
                let features = features.map(|f| self.tensor(f));
                ops::embed(e, ids, &table, features, *scale, out);
            }
            Op::Patchify { image, size, patch } => {
                let image = self.tensor(*image);
                ops::patchify(e, image, *size, *patch, out);
            }
            Op::Unfold { x, grid, kernel_size } => {
                let x = self.tensor(*x);
                ops::unfold(e, x, *grid, *kernel_size, out);
            }
            Op::Fold { x, bias, grid, spec } => {
                let (x, bias) = (self.tensor(*x), self.tensor(*bias));
                ops::fold(e, x, bias, *grid, *spec, out);
            }
            Op::Linear { x, weight, bias, residual, activation, rows, part } => {
                let whole = self.weight(*weight);
                let operands = ops::LinearOperands {
                    x: self.tensor(*x),
                    weight: part.as_ref().map_or(whole.clone(), |part| whole.part(part)),
                    bias: bias.map(|b| self.tensor(b)),
                    residual: residual.map(|r| self.tensor(r)),
                    out,
                };
                ops::linear(e, &operands, *activation, *rows);
            }
            Op::LayerNorm { x, weight, bias, eps } => {
                let (x, weight, bias) = (self.tensor(*x), self.tensor(*weight), self.tensor(*bias));
                ops::layer_norm(e, x, weight, bias, *eps, out);
            }
            Op::RmsNorm { x, weight, residual, eps, rows } => {
                let (x, weight) = (self.tensor(*x), self.tensor(*weight));
                let residual = residual.map(|r| self.tensor(r));
                ops::rms_norm(e, x, weight, residual, *eps, *rows, out);
            }
            Op::RopeAppend { qkv, k_cache, v_cache, spec } => {
                let (qkv, k, v) = (self.tensor(*qkv), self.tensor(*k_cache), self.tensor(*v_cache));
                ops::rope_append(e, qkv, [k, v], spec, self.first_row, out);
            }
            Op::Attention { q, k, v, spec } => {
                let (q, k, v) = (self.tensor(*q), self.tensor(*k), self.tensor(*v));
                ops::attention(e, q, k, v, spec, out);
            }
            Op::Activate { x, activation } => {
                let x = self.tensor(*x);
                ops::activate(e, x, *activation, out);
            }
            Op::Add { a, b } => {
                let (a, b) = (self.tensor(*a), self.tensor(*b));
                ops::add(e, a, b, out);
            }
            Op::ArgMax { logits, first_id, next_ids } => {
                let (logits, next_ids) = (self.tensor(*logits), self.tensor(*next_ids));
                ops::argmax(e, logits, *first_id, out, next_ids);
            }
            Op::TopK { logits, k } => {
                let logits = self.tensor(*logits);
                ops::top_k(e, logits, *k, out);
            }
            Op::LogSoftmax { logits, ids } => {
                let (logits, ids) = (self.tensor(*logits), self.tensor(*ids));
                ops::log_softmax(e, logits, ids, out);
            }
        }
    }

    /// What stands for a value now.
    fn tensor(&mut self, value: Value) -> Tensor {
        self.parts.get(&value).copied().unwrap_or_else(|| self.whole(value))
    }

    /// The tensor of a value, made when first asked for. A weight used as a tensor is a single f32 shard.
    fn whole(&mut self, value: Value) -> Tensor {
        let info = self.graph.info(value);
        let handle = match self.tensors.get(&value) {
            Some(&handle) => handle,
            None => {
                let external = match &info.origin {
                    Origin::Computed => None,
                    Origin::State(name) => Some(ExternalKey::State(name.clone())),
                    Origin::Weight(weight) => {
                        Some(ExternalKey::Weight { weight: *weight, shard: 0, part: WeightPart::Data })
                    }
                };
                let handle = self.declare(&info.name, info.rows * info.width * 4, external);
                self.tensors.insert(value, handle);
                handle
            }
        };
        Tensor { handle, rows: info.rows, width: info.width }
    }

    fn weight(&mut self, value: Value) -> WeightOperand {
        if let Some(operand) = self.weights.get(&value) {
            return operand.clone();
        }
        let Origin::Weight(weight) = self.graph.info(value).origin else {
            unreachable!("the builder takes weights from Graph::weight only")
        };
        let table = self.graph.weights.layouts()[weight].clone();
        let bytes = layout(table.dtype, table.k);
        let shards = table.shards.iter().enumerate().map(|(shard, range)| {
            let key = |part| Some(ExternalKey::Weight { weight, shard, part });
            let label = format!("{}[{}..{}]", table.name, range.start, range.end);
            ShardOperand {
                first_row: range.start,
                rows: range.len(),
                skip: 0,
                data: self.declare(&label, bytes.data_bytes(range.len()), key(WeightPart::Data)),
                scales: (bytes.row_scales > 0)
                    .then(|| self.declare(&label, bytes.scale_bytes(range.len()), key(WeightPart::Scales))),
            }
        });
        let operand = WeightOperand { dtype: table.dtype, rows: table.rows, k: table.k, shards: shards.collect() };
        self.weights.insert(value, operand.clone());
        operand
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
