//! The graphs of the golden models, and recordings of one of them, as text: a change of a graph, of a fusion, of the
//! choice of kernels or of the plan of buffers shows as a changed line.
//!
//! After a wanted change run the test with `OCELLI_UPDATE_SNAPSHOTS=1` and read the difference before committing it.

#[path = "common/root.rs"]
mod root;

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use ocelli::graph::{Graph, ShapeError, WeightTable, fuse, lower};
use ocelli::kernels::{Capabilities, DeviceClass};
use ocelli::models::{self, Architecture, DecoderPass, ImagesOutput, ImagesPass, Pass, PassOutput};
use ocelli::tensor::Dtype;
use root::root;

const UPDATE: &str = "OCELLI_UPDATE_SNAPSHOTS";

fn folder(of: &str) -> PathBuf {
    root().join("tests").join(of)
}

fn architecture(checkpoint: &str) -> Box<dyn Architecture> {
    let path = folder("goldens").join(checkpoint).join("config.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json = serde_json::from_str(&text).expect("the configuration is JSON");
    models::open(&json).expect("the configuration is a known model's")
}

/// Weights as a device with 1 MiB bindings would hold them in q8.
fn weights(architecture: &dyn Architecture) -> WeightTable {
    let specs = models::weight_specs(architecture, &architecture.parts()).expect("the graphs can be built");
    WeightTable::of(&specs, |spec| spec.kept_in(Dtype::Q8), 1 << 20).expect("the rows fit a binding")
}

/// Every kind of pass once, as built and, where `fused`, as executed.
fn graphs(architecture: &dyn Architecture) -> Result<Vec<Graph>, ShapeError> {
    let pass = |tokens, feature_rows, output| {
        Pass::Decoder(DecoderPass { sequences: 1, tokens, capacity: 64, slots: 1, feature_rows, output, ids: None })
    };
    let rows = architecture.image().expect("it takes images").tokens;
    Ok(vec![
        architecture.build(&Pass::EncodeImage)?,
        architecture.build(&pass(32, rows, PassOutput::Greedy))?,
        architecture.build(&pass(32, rows, PassOutput::Score))?,
        architecture.build(&pass(1, 0, PassOutput::TopK(8)))?,
    ])
}

fn dump(architecture: &dyn Architecture) -> Result<String, ShapeError> {
    let mut text = String::new();
    for graph in graphs(architecture)? {
        writeln!(text, "=== fused\n{}", fuse(graph)).expect("a string can be written to");
    }
    // One pass as it was before fusion: the others differ from their fused forms in the same way.
    if let Some(decode) = graphs(architecture)?.pop() {
        writeln!(text, "=== as built\n{decode}").expect("a string can be written to");
    }
    Ok(text)
}

/// What a device of a class does for the passes, with so many bytes in a binding.
fn recordings(architecture: &dyn Architecture, class: DeviceClass, max_binding_bytes: usize) -> String {
    let capabilities = Capabilities {
        class,
        shader_f16: false,
        subgroups: None,
        max_binding_bytes,
        max_buffer_bytes: max_binding_bytes,
        max_workgroup_invocations: 256,
        max_workgroup_bytes: 16 << 10,
        max_workgroups: 65_535,
    };
    let weights = weights(architecture);
    let graphs = graphs(architecture).expect("the graphs can be built").into_iter();
    let plan = |graph| lower(&fuse(graph), &weights, &capabilities).expect("its weights are there");
    graphs.map(|graph| format!("{}\n", plan(graph).recording)).collect()
}

fn compare(checkpoint: &str) {
    same(checkpoint, &dump(architecture(checkpoint).as_ref()).expect("the graphs can be built"));
}

fn same(name: &str, found: &str) {
    let path = folder("snapshots").join(format!("{name}.txt"));
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(folder("snapshots")).expect("the folder can be made");
        fs::write(&path, found).expect("the snapshot can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let differs = |(n, (a, b)): (usize, (&str, &str))| (a != b).then(|| format!("line {}:\n- {a}\n+ {b}", n + 1));
    if let Some(first) = expected.lines().zip(found.lines()).enumerate().find_map(differs) {
        panic!("{} differs from what is built now; {first}\nif this is wanted, set {UPDATE}=1", path.display());
    }
    let (lines, now) = (expected.lines().count(), found.lines().count());
    assert_eq!(lines, now, "{} has {lines} lines and what is built now {now}", path.display());
}

#[test]
fn graphs_of_pg1_hd16() {
    compare("pg1-hd16");
}

#[test]
fn graphs_of_pg1_hd72() {
    compare("pg1-hd72");
}

#[test]
fn graphs_of_pg2_gqa() {
    compare("pg2-gqa");
}

/// An encoder's passes over several images and texts, as executed.
fn encoders(checkpoint: &str, size: [usize; 2], outputs: &[ImagesOutput]) {
    let architecture = architecture(checkpoint);
    let images = outputs.iter().map(|&output| Pass::Images(ImagesPass { count: 2, size, output }));
    let texts = architecture.encoders().text.map(|_| Pass::Texts { count: 2 });
    let mut text = String::new();
    for pass in images.chain(texts) {
        let graph = architecture.build(&pass).expect("the graph can be built");
        writeln!(text, "=== fused\n{}", fuse(graph)).expect("a string can be written to");
    }
    same(checkpoint, &text);
}

#[test]
fn graphs_of_siglip() {
    encoders("siglip-1", [44; 2], &[ImagesOutput::Embedding]);
}

#[test]
fn graphs_of_a_siglip_of_any_size() {
    encoders("siglip-naflex", [12, 20], &[ImagesOutput::Features]);
}

#[test]
fn graphs_of_vits() {
    encoders("vit-timm-noembed", [44; 2], &[ImagesOutput::Logits]);
    encoders("vit-timm-scale", [44; 2], &[ImagesOutput::Features, ImagesOutput::Logits]);
    encoders("vit-hf", [44; 2], &[ImagesOutput::Logits]);
}

#[test]
fn recordings_of_a_real_gpu() {
    same("recordings-gpu", &recordings(architecture("pg1-hd16").as_ref(), DeviceClass::Gpu, 128 << 20));
}

#[test]
fn recordings_where_the_logits_of_all_rows_are_done_in_chunks() {
    let found = recordings(architecture("pg1-hd16").as_ref(), DeviceClass::Software, 128 << 10);
    assert!(found.contains("\ncopy #"), "nothing is done in chunks");
    same("recordings-small-bindings", &found);
}
