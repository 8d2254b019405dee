//! The graphs of the golden models, and recordings of one of them, as text: a change of a graph, of a fusion, of the
//! choice of kernels or of the plan of buffers shows as a changed line.
//!
//! After a wanted change run the test with `OCELLI_UPDATE_SNAPSHOTS=1` and read the difference before committing it.

#[path = "common/root.rs"]
mod root;

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use ocelli::graph::{Graph, ShapeFault, WeightLayout, WeightTable, fuse, lower};
use ocelli::kernels::{Capabilities, DeviceClass};
use ocelli::models::paligemma::{self, DecoderPass, PaliGemmaConfig, PassOutput};
use ocelli::tensor::Dtype;
use root::root;

const UPDATE: &str = "OCELLI_UPDATE_SNAPSHOTS";

fn folder(of: &str) -> PathBuf {
    root().join("tests").join(of)
}

fn config(checkpoint: &str) -> PaliGemmaConfig {
    let path = folder("goldens").join(checkpoint).join("config.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json = serde_json::from_str(&text).expect("the configuration is JSON");
    PaliGemmaConfig::from_hf(&json).expect("the configuration is a PaliGemma's")
}

/// Weights as a device with 1 MiB bindings would hold them in q8.
fn weights(config: &PaliGemmaConfig) -> WeightTable {
    let layouts = paligemma::weights(config).into_iter().map(|spec| {
        WeightLayout::new(&spec.name, spec.rows, spec.k, spec.kept_in(Dtype::Q8), 1 << 20)
            .expect("the rows fit a binding")
    });
    WeightTable::new(layouts.collect())
}

/// Every kind of pass once, as built and, where `fused`, as executed.
fn graphs(config: &PaliGemmaConfig) -> Result<Vec<Graph>, ShapeFault> {
    let table = weights(config);
    let pass =
        |tokens, feature_rows, output| DecoderPass { tokens, capacity: 64, slots: 1, feature_rows, output, ids: None };
    let picture = config.vision.tokens();
    Ok(vec![
        paligemma::vision(config, &table)?,
        paligemma::decoder(config, &table, &pass(32, picture, PassOutput::Greedy))?,
        paligemma::decoder(config, &table, &pass(32, picture, PassOutput::Score))?,
        paligemma::decoder(config, &table, &pass(1, 0, PassOutput::TopK(8)))?,
    ])
}

fn dump(config: &PaliGemmaConfig) -> Result<String, ShapeFault> {
    let mut text = String::new();
    for graph in graphs(config)? {
        writeln!(text, "=== fused\n{}", fuse(graph)).expect("a string can be written to");
    }
    // One pass as it was before fusion: the others differ from their fused forms in the same way.
    if let Some(decode) = graphs(config)?.pop() {
        writeln!(text, "=== as built\n{decode}").expect("a string can be written to");
    }
    Ok(text)
}

/// What a device of a class does for the passes, with so many bytes in a binding.
fn recordings(config: &PaliGemmaConfig, class: DeviceClass, max_binding_bytes: usize) -> String {
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
    let graphs = graphs(config).expect("the graphs can be built").into_iter();
    graphs.map(|graph| format!("{}\n", lower(&fuse(graph), &capabilities).recording)).collect()
}

fn compare(checkpoint: &str) {
    same(checkpoint, &dump(&config(checkpoint)).expect("the graphs can be built"));
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

#[test]
fn recordings_of_a_real_gpu() {
    same("recordings-gpu", &recordings(&config("pg1-hd16"), DeviceClass::Gpu, 128 << 20));
}

#[test]
fn recordings_where_the_logits_of_all_rows_are_done_in_chunks() {
    let found = recordings(&config("pg1-hd16"), DeviceClass::Software, 128 << 10);
    assert!(found.contains("\ncopy #"), "nothing is done in chunks");
    same("recordings-small-bindings", &found);
}
