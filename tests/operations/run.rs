//! A graph over states of given values, lowered for every class of device and played on the CPU.

use ocelli::cpu::CpuPlayer;
use ocelli::graph::record::Read;
use ocelli::graph::{ExternalKey, Graph, ShapeError, StateKind, Value, WeightTable, fuse, lower};
use ocelli::kernels::{Capabilities, DeviceClass, Step, SubgroupSizes};
use pollster::block_on;

/// What memory holds before a pass: whatever reads it spoils its result.
const POISON: f32 = f32::NAN;

/// A state that the graph reads, `[rows, width]`.
pub struct Input {
    pub name: &'static str,
    pub rows: usize,
    pub values: Vec<f32>,
}

impl Input {
    pub fn new(name: &'static str, rows: usize, values: Vec<f32>) -> Self {
        Self { name, rows, values }
    }
}

/// The value that `build` makes of the inputs, as every class of device computes it. Values above `most` bytes are done
/// some rows at a time.
pub fn everywhere(
    inputs: &[Input],
    most: usize,
    step: &Step,
    build: impl Fn(&mut Graph, &[Value]) -> Result<Value, ShapeError>,
) -> Vec<(String, Vec<f32>)> {
    let mut g = Graph::new("operations");
    let values: Vec<Value> = inputs
        .iter()
        .map(|input| {
            let width = input.values.len() / input.rows;
            g.state(input.name, StateKind::Input, input.rows, width).expect("its name is new")
        })
        .collect();
    let out = build(&mut g, &values).expect("the operands fit");
    g.store(out, "out", StateKind::Output).expect("its name is new");
    let g = fuse(g);
    let mut results = Vec::new();
    for (class, subgroups) in [
        (DeviceClass::Cpu, None),
        (DeviceClass::Software, None),
        (DeviceClass::Gpu, None),
        (DeviceClass::Gpu, Some(SubgroupSizes { min: 8, max: 32 })),
    ] {
        let capabilities =
            Capabilities { class, subgroups, max_binding_bytes: most, ..CpuPlayer::new().capabilities().clone() };
        for (name, player) in [("plain", CpuPlayer::plain()), ("fast", CpuPlayer::new())] {
            results.push((format!("{class:?} {name}"), play(&g, &capabilities, player, inputs, step)));
        }
    }
    results
}

fn play(g: &Graph, capabilities: &Capabilities, mut player: CpuPlayer, inputs: &[Input], step: &Step) -> Vec<f32> {
    let plan = lower(g, &WeightTable::default(), capabilities).expect("it lowers");
    let mut read = None;
    let buffers: Vec<_> = plan
        .externals
        .iter()
        .enumerate()
        .map(|(n, key)| {
            let ExternalKey::State(name) = key else { panic!("there are no weights") };
            let state = g.states().iter().find(|state| state.name == *name).expect("a state of the graph");
            let mut values = vec![POISON; state.rows * state.width];
            if let Some(input) = inputs.iter().find(|input| input.name == name) {
                values.copy_from_slice(&input.values);
            }
            if name == "out" {
                read = Some(Read { external: n as u32, offset: 0, bytes: values.len() * 4 });
            }
            let id = block_on(player.create_buffer(name, values.len() * 4)).expect("there is memory");
            player.write_buffer(id, 0, bytemuck::cast_slice(&values)).expect("it fits");
            id
        })
        .collect();
    let loaded = block_on(player.load(&plan.recording, &buffers)).expect("it loads");
    let bytes = block_on(player.play(loaded, step, &[read.expect("the graph writes it")]).expect("it is submitted"));
    bytemuck::pod_collect_to_vec(&bytes.expect("it is played"))
}

/// Fails unless every device gives the first rows of a result as expected.
pub fn agree(results: &[(String, Vec<f32>)], expected: &[f32]) {
    for (device, found) in results {
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * b.abs().max(1.0);
        let wrong = found.iter().zip(expected).position(|pair| !near(pair));
        assert!(found.len() >= expected.len() && wrong.is_none(), "{device}: element {wrong:?} of {found:?}");
    }
}
