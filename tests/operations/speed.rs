//! How long many pictures at once take next to one at a time, on the CPU. Run by hand, in release:
//! `cargo test --release --test operations -- --ignored --nocapture`.

use std::time::Instant;

use ocelli::cpu::CpuPlayer;
use ocelli::graph::record::PlanId;
use ocelli::graph::{ExternalKey, Graph, ShapeError, Source, StateKind, Value, WeightTable, lower};
use ocelli::kernels::Step;
use ocelli::ops::{Activation, Attention, AttentionSpec, Function, KeySource, Linear, Mask};
use ocelli::quant::{encode_rows, layout};
use ocelli::tensor::Dtype;
use pollster::block_on;

use crate::random::Random;

/// How often many pictures and one at a time are measured, in turns.
const ROUNDS: usize = 9;

/// A pass that is ready to be played.
struct Ready {
    player: CpuPlayer,
    plan: PlanId,
    step: Step,
}

impl Ready {
    /// Milliseconds of so many plays.
    fn milliseconds(&mut self, plays: usize) -> f64 {
        let start = Instant::now();
        for _ in 0..plays {
            block_on(self.player.play(self.plan, &self.step, &[]).expect("it is submitted")).expect("it is played");
        }
        start.elapsed().as_secs_f64() * 1e3
    }
}

/// A pass over `x` of `rows` rows and `width` columns, all numbers random.
fn ready(
    dtype: Dtype,
    [rows, width]: [usize; 2],
    step: Step,
    build: &dyn Fn(&mut Graph, Value) -> Result<Value, ShapeError>,
) -> Ready {
    let (mut random, mut player) = (Random::new("speed"), CpuPlayer::new());
    let mut g = Graph::new("speed");
    let x = g.state("x", StateKind::Input, rows, width).expect("its name is new");
    let out = build(&mut g, x).expect("the operands fit");
    g.store(out, "out", StateKind::Output).expect("its name is new");
    let weights = WeightTable::of(g.weights(), |spec| spec.kept_in(dtype), 1 << 30).expect("they fit");
    let plan = lower(&g, &weights, player.capabilities()).expect("it lowers");
    let mut buffer = |key: &ExternalKey| {
        let bytes = match key {
            ExternalKey::State(name) => {
                let state = g.states().iter().find(|state| state.name == *name).expect("a state of the graph");
                bytemuck::cast_slice(&random.floats(state.rows * state.width)).to_vec()
            }
            ExternalKey::Weight { weight, part, .. } => {
                let lies = &weights.layouts()[*weight];
                let encoded = encode_rows(lies.dtype, &random.floats(lies.rows * lies.k), lies.k).expect("numbers");
                assert_eq!(encoded.data.len(), layout(lies.dtype, lies.k).data_bytes(lies.rows));
                if *part == ocelli::graph::WeightPart::Data { encoded.data } else { encoded.scales }
            }
        };
        let id = block_on(player.create_buffer("speed", bytes.len())).expect("there is memory");
        player.write_buffer(id, 0, &bytes).expect("it fits");
        id
    };
    let buffers: Vec<_> = plan.externals.iter().map(&mut buffer).collect();
    let plan = block_on(player.load(&plan.recording, &buffers)).expect("it loads");
    Ready { player, plan, step }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Prints the milliseconds of a picture alone and among others, and how many times as long many take; gives the most.
fn compare(what: &str, ready: &dyn Fn(usize) -> Ready) -> f64 {
    let mut one = ready(1);
    let mut slowest: f64 = 0.0;
    let mut line = format!("{what:<36}");
    for pictures in [2, 8] {
        let mut many = ready(pictures);
        let (mut alone, mut among, mut times) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let (a, b) = (one.milliseconds(pictures), many.milliseconds(1));
            // The first round warms up.
            if round > 0 {
                alone.push(a / pictures as f64);
                among.push(b / pictures as f64);
                times.push(b / a);
            }
        }
        let times = median(times);
        slowest = slowest.max(times);
        line += &format!("  {:8.2} {:8.2} {times:6.2}", median(alone), median(among));
    }
    println!("{line}");
    slowest
}

#[test]
#[ignore = "takes a minute, and means something on a machine that does nothing else"]
fn many_pictures_are_no_slower_than_one_at_a_time() {
    println!("{:<36}  {:>8} {:>8} {:>6}  {:>8} {:>8} {:>6}", "ms a picture", 1, 2, "times", 1, 8, "times");
    let mut slowest = Vec::new();
    for (tokens, width, hidden, heads) in [(196, 768, 3072, 12), (256, 1152, 4304, 16)] {
        for dtype in [Dtype::Q8, Dtype::F32] {
            for (k, n) in [(width, 3 * width), (width, hidden), (hidden, width)] {
                slowest.push(compare(&format!("linear {dtype} {tokens} x {k} x {n}"), &|pictures| {
                    let rows = pictures * tokens;
                    ready(dtype, [rows, k], Step::one(0, rows as u32, 0, 0), &|g, x| {
                        let weight = g.matrix("w", n, k, Source::tensor("w"))?;
                        let activation = Activation::Map(Function::GeluTanh);
                        g.push("y", Linear { activation, ..Linear::new(x, weight, None) })
                    })
                }));
            }
        }
        let spec = |source, sequence_rows| AttentionSpec {
            heads,
            kv_heads: heads,
            head_dim: width / heads,
            source,
            mask: Mask::Full,
            scale: 0.1,
            softcap: None,
            sequence_rows: Some(sequence_rows),
        };
        slowest.push(compare(&format!("attention {tokens} x {width}"), &|pictures| {
            let step = Step::all(pictures, tokens).expect("they fit");
            ready(Dtype::F32, [pictures * tokens, 3 * width], step, &|g, x| {
                let spec = spec(KeySource::Rows, tokens);
                g.push("y", Attention { q: x, k: x, v: x, bias: None, spec })
            })
        }));
        slowest.push(compare(&format!("pooling {tokens} x {width}"), &|pictures| {
            let step = Step::all(pictures, tokens).expect("they fit");
            ready(Dtype::F32, [pictures * tokens, 2 * width], step, &|g, x| {
                let q = g.state("q", StateKind::Input, pictures, width)?;
                let spec = spec(KeySource::Memory { rows: tokens, fused: true }, 1);
                g.push("y", Attention { q, k: x, v: x, bias: None, spec })
            })
        }));
    }
    assert!(slowest.iter().all(|&slowest| slowest < 1.1), "many pictures take longer than one at a time");
}
