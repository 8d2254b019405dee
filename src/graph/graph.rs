use super::{Source, StateKind, StateSpec, Storage, WeightSpec};
use crate::ops::{Extents, Op, Operand, ShapeError, Shapes, Value, WeightId};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A node of this graph; scratch memory.
    Computed,
    /// A weight that is f32 and in one piece.
    Weight(WeightId),
    /// The n-th state that the graph declares.
    State(usize),
}

/// An operation and the value it defines.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The operation with its operands.
    pub op: Op,
    /// The value that later nodes name as operand.
    pub output: Value,
}

/// A node, or the name of what begins here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Node(Node),
    Mark(String),
}

#[derive(Debug, Clone)]
pub(super) struct ValueInfo {
    pub name: String,
    pub rows: usize,
    pub width: usize,
    pub origin: Origin,
}

/// A pass of a model: nodes in order of execution over weights, states and computed values.
///
/// Weights and states are declared where they are used, so that a graph is also the list of what it needs.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(super) name: String,
    pub(super) values: Vec<ValueInfo>,
    pub(super) items: Vec<Item>,
    weights: Vec<WeightSpec>,
    states: Vec<StateSpec>,
}

impl Graph {
    /// An empty graph.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), values: Vec::new(), items: Vec::new(), weights: Vec::new(), states: Vec::new() }
    }

    /// Names what begins here, such as a layer: players time, yield and check for cancellation at these points.
    pub fn mark(&mut self, label: impl Into<String>) {
        self.items.push(Item::Mark(label.into()));
    }

    /// A weight matrix `[rows, k]` that is kept in the dtype the user chose.
    ///
    /// # Errors
    /// One of that name that is declared already, and is another.
    pub fn matrix(
        &mut self,
        name: impl Into<String>,
        rows: usize,
        k: usize,
        source: Source,
    ) -> Result<WeightId, ShapeError> {
        self.declare(WeightSpec { name: name.into(), rows, k, storage: Storage::Matrix, source })
    }

    /// A weight `[rows, k]` that stays f32 and in one piece: a norm, a bias, a table of positions.
    ///
    /// # Errors
    /// One of that name that is declared already, and is another.
    pub fn whole(
        &mut self,
        name: impl Into<String>,
        rows: usize,
        k: usize,
        source: Source,
    ) -> Result<Value, ShapeError> {
        let weight = self.declare(WeightSpec { name: name.into(), rows, k, storage: Storage::F32Whole, source })?;
        let origin = Origin::Weight(weight);
        if let Some(value) = self.value_of(origin) {
            return Ok(value);
        }
        let WeightSpec { name, rows, k, .. } = self.weights[weight.0 as usize].clone();
        Ok(self.define(&name, rows, k, origin))
    }

    fn declare(&mut self, spec: WeightSpec) -> Result<WeightId, ShapeError> {
        let known = self.weights.iter().position(|weight| weight.name == spec.name);
        if let Some(known) = known {
            if self.weights[known] != spec {
                return Err(ShapeError::Redeclared(spec.name));
            }
            return Ok(WeightId(known as u32));
        }
        self.weights.push(spec);
        Ok(WeightId(self.weights.len() as u32 - 1))
    }

    /// A buffer of the session, `[rows, width]` words.
    ///
    /// # Errors
    /// One of that name that is declared already, and is another.
    pub fn state(&mut self, name: &str, kind: StateKind, rows: usize, width: usize) -> Result<Value, ShapeError> {
        let spec = StateSpec { name: name.into(), kind, rows, width };
        if let Some(known) = self.states.iter().position(|state| state.name == spec.name) {
            let value = self.value_of(Origin::State(known)).filter(|_| self.states[known] == spec);
            return value.ok_or(ShapeError::Redeclared(spec.name));
        }
        self.states.push(spec);
        Ok(self.define(name, rows, width, Origin::State(self.states.len() - 1)))
    }

    /// Keeps a computed value in a buffer of the session instead of scratch memory.
    ///
    /// # Errors
    /// A state of that name that is declared already.
    pub fn store(&mut self, value: Value, state: &str, kind: StateKind) -> Result<(), ShapeError> {
        if self.states.iter().any(|known| known.name == state) {
            return Err(ShapeError::Redeclared(state.into()));
        }
        let info = &mut self.values[value.0 as usize];
        self.states.push(StateSpec { name: state.into(), kind, rows: info.rows, width: info.width });
        info.origin = Origin::State(self.states.len() - 1);
        Ok(())
    }

    /// The weights that it uses, in the order of their first use.
    pub fn weights(&self) -> &[WeightSpec] {
        &self.weights
    }

    /// The buffers of the session that it uses, in the order of their first use.
    pub fn states(&self) -> &[StateSpec] {
        &self.states
    }

    /// The value that a node of this name defines, if there is one.
    pub fn find(&self, name: &str) -> Option<Value> {
        self.nodes().map(|node| node.output).find(|&value| self.info(value).name == name)
    }

    /// Rows of a value.
    pub fn rows(&self, value: Value) -> usize {
        self.info(value).rows
    }

    /// Width of a value.
    pub fn width(&self, value: Value) -> usize {
        self.info(value).width
    }

    /// The nodes in order of execution.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.items.iter().filter_map(|item| match item {
            Item::Node(node) => Some(node),
            Item::Mark(_) => None,
        })
    }

    /// Adds an operation after checking its operands; the output's shape follows from them.
    ///
    /// # Errors
    /// Operands that disagree, or that no kernel can work with.
    pub fn push(&mut self, name: impl AsRef<str>, op: impl Into<Op>) -> Result<Value, ShapeError> {
        let (name, op) = (name.as_ref(), op.into());
        let [rows, width] = op.operation().infer(&Shapes::new(name, self))?;
        let output = self.define(name, rows, width, Origin::Computed);
        self.items.push(Item::Node(Node { op, output }));
        Ok(output)
    }

    pub(super) fn info(&self, value: Value) -> &ValueInfo {
        &self.values[value.0 as usize]
    }

    pub(super) fn state_spec(&self, state: usize) -> &StateSpec {
        &self.states[state]
    }

    pub(super) fn weight_spec(&self, weight: WeightId) -> &WeightSpec {
        &self.weights[weight.0 as usize]
    }

    fn value_of(&self, origin: Origin) -> Option<Value> {
        self.values.iter().position(|value| value.origin == origin).map(|n| Value(n as u32))
    }

    fn define(&mut self, name: &str, rows: usize, width: usize, origin: Origin) -> Value {
        self.values.push(ValueInfo { name: name.into(), rows, width, origin });
        Value(self.values.len() as u32 - 1)
    }
}

impl Extents for Graph {
    fn value(&self, value: Value) -> [usize; 2] {
        let ValueInfo { rows, width, .. } = *self.info(value);
        [rows, width]
    }

    fn weight(&self, weight: WeightId) -> [usize; 2] {
        let WeightSpec { rows, k, .. } = *self.weight_spec(weight);
        [rows, k]
    }
}

impl Node {
    /// Whether the operation reads a value.
    pub fn reads(&self, value: Value) -> bool {
        self.op.operation().reads().contains(&Operand::Value(value))
    }
}
