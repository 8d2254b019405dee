use std::fmt;

use super::graph::{Graph, Item, Origin};
use super::record::{Command, Recording, Role};
use crate::ops::{Operand, Value};

/// One line a node: `%name [rows, width] = Op { .. }`.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "graph {}", self.name)?;
        for item in &self.items {
            match item {
                Item::Mark(label) => writeln!(f, "-- {label}")?,
                Item::Node(node) => {
                    let info = self.info(node.output);
                    let op = node.op.operation();
                    let reads = op.reads().into_iter();
                    let writes = op.writes().into_iter().map(Operand::Value);
                    let operands: Vec<String> = reads.chain(writes).map(|operand| self.operand(operand)).collect();
                    let place = match info.origin {
                        Origin::State(state) => format!(" -> {}", self.state_spec(state).name),
                        _ => String::new(),
                    };
                    writeln!(
                        f,
                        "{} [{}, {}] = {}({}){place}",
                        self.name_of(node.output),
                        info.rows,
                        info.width,
                        op.describe(),
                        operands.join(", "),
                    )?;
                }
            }
        }
        Ok(())
    }
}

impl Graph {
    fn operand(&self, operand: Operand) -> String {
        match operand {
            Operand::Value(value) => self.name_of(value),
            Operand::Weight(weight) => format!("@{}", self.weight_spec(weight).name),
        }
    }

    fn name_of(&self, value: Value) -> String {
        let info = self.info(value);
        match &info.origin {
            Origin::Computed => format!("%{}", info.name),
            Origin::Weight(_) => format!("@{}", info.name),
            Origin::State(_) => format!("${}", info.name),
        }
    }
}

/// The buffers with their sizes, then one line a command.
impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "recording {}", self.name)?;
        for (i, buffer) in self.buffers.iter().enumerate() {
            let role = match buffer.role {
                Role::Scratch => "scratch".to_owned(),
                Role::External(n) => format!("external {n}"),
            };
            writeln!(f, "#{i} {} bytes, {role}: {}", buffer.bytes, buffer.label)?;
        }
        for command in &self.commands {
            match command {
                Command::Mark(label) => writeln!(f, "-- {label}")?,
                Command::Copy { from, from_offset, to, to_offset, bytes } => {
                    writeln!(f, "copy #{from}+{from_offset} -> #{to}+{to_offset}, {bytes} bytes")?
                }
                Command::Dispatch(d) => {
                    let bindings: Vec<String> = d.bindings.iter().map(|b| format!("#{b}")).collect();
                    writeln!(
                        f,
                        "{} ({}) grid {}x{}x{}",
                        d.kernel.info().name,
                        bindings.join(" "),
                        d.grid[0],
                        d.grid[1],
                        d.grid[2],
                    )?
                }
            }
        }
        Ok(())
    }
}
