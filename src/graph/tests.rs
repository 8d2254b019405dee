//! What a graph refuses while it is built, and what it says of itself.

use super::*;
use crate::base::{ErrorKind, LayerError};
use crate::kernels::{Capabilities, DeviceClass};
use crate::ops::{
    Activate, Activation, Add, ArgMax, Attention, AttentionBias, AttentionSpec, CacheSpec, Embed, Fold, FoldSpec,
    Function, GatherSlots, Grid, KeySource, LayerNorm, Linear, LogSoftmax, Mask, MeanRows, Patchify, Prepend,
    ResizeTable, RmsNorm, RopeAppend, RopeSpec, RowChoice, SelectRows, TopK, Unfold,
};

fn input(g: &mut Graph, rows: usize, width: usize) -> Value {
    let name = format!("{} by {rows} {width}", g.states().len());
    g.state(&name, StateKind::Input, rows, width).expect("its name is new")
}

fn spec(source: KeySource) -> AttentionSpec {
    AttentionSpec {
        heads: 4,
        kv_heads: 2,
        head_dim: 8,
        source,
        mask: Mask::Full,
        scale: 1.0,
        softcap: None,
        sequence_rows: None,
    }
}

/// Attention of q over k and v of these shapes.
fn attend(spec: AttentionSpec, [q, k, v]: [[usize; 2]; 3]) -> Result<[usize; 2], ShapeError> {
    let mut g = Graph::new("attention");
    let [q, k, v] = [q, k, v].map(|[rows, width]| input(&mut g, rows, width));
    let out = g.push("attention", Attention { q, k, v, bias: None, spec })?;
    Ok([g.rows(out), g.width(out)])
}

#[test]
fn attention_checks_every_shape() {
    let rows = spec(KeySource::Rows);
    assert_eq!(attend(rows, [[5, 64]; 3]).expect("fused rows"), [5, 32]);
    for wrong in [[[5, 32], [5, 64], [5, 64]], [[5, 64], [5, 32], [5, 64]], [[5, 64], [6, 64], [5, 64]]] {
        let error = attend(rows, wrong).expect_err("shapes disagree");
        assert!(matches!(error, ShapeError::Mismatch { .. }), "{wrong:?}: {error}");
    }
    let cache = spec(KeySource::Cache { capacity: 7 });
    assert_eq!(attend(cache, [[5, 32], [28, 8], [28, 8]]).expect("two slots"), [5, 32]);
    for wrong in [[[5, 64], [28, 8], [28, 8]], [[5, 32], [28, 4], [28, 8]], [[5, 32], [27, 8], [28, 8]]] {
        assert!(matches!(attend(cache, wrong), Err(ShapeError::Mismatch { .. })), "{wrong:?}");
    }
    let memory = spec(KeySource::Memory { rows: 9, fused: true });
    assert_eq!(attend(memory, [[1, 32], [9, 32], [9, 32]]).expect("a fused memory"), [1, 32]);
    for wrong in [[[1, 32], [9, 16], [9, 16]], [[1, 32], [8, 32], [8, 32]], [[1, 64], [9, 32], [9, 32]]] {
        assert!(matches!(attend(memory, wrong), Err(ShapeError::Mismatch { .. })), "{wrong:?}");
    }
}

#[test]
fn heads_without_kernels_are_unsupported_and_the_error_says_what_is() {
    for (head_dim, fits) in [(4, true), (256, true), (0, false), (6, false), (260, false)] {
        let spec = AttentionSpec { heads: 1, kv_heads: 1, head_dim, ..spec(KeySource::Rows) };
        match attend(spec, [[2, 3 * head_dim]; 3]) {
            Ok(_) => assert!(fits, "{head_dim}"),
            Err(error) => {
                assert!(!fits, "{head_dim}: {error}");
                assert_eq!(error.kind(), ErrorKind::Unsupported);
                assert!(error.to_string().contains("a multiple of 4 up to 256"), "{error}");
            }
        }
    }
    let uneven = AttentionSpec { kv_heads: 3, ..spec(KeySource::Rows) };
    assert_eq!(attend(uneven, [[5, 80]; 3]).expect_err("4 heads over 3").kind(), ErrorKind::Unsupported);
}

#[test]
fn a_table_of_biases_has_a_column_for_each_head_and_its_center() {
    let push = |width, center| {
        let mut g = Graph::new("biased");
        let (qkv, table) = (input(&mut g, 5, 64), input(&mut g, 9, width));
        let bias = Some(AttentionBias { table, center });
        g.push("attention", Attention { q: qkv, k: qkv, v: qkv, bias, spec: spec(KeySource::Rows) })
    };
    assert!(push(4, 8).is_ok());
    assert_eq!(push(3, 8).expect_err("three columns for four heads").kind(), ErrorKind::Unsupported);
    assert_eq!(push(4, 9).expect_err("a center behind the table").kind(), ErrorKind::Unsupported);
}

/// Each operation with operands that disagree.
#[test]
fn no_operation_takes_operands_that_disagree() {
    let mut g = Graph::new("refusals");
    let [x, narrow, odd, one, pixels] =
        [[6, 8], [6, 4], [6, 10], [6, 1], [6, 3]].map(|[rows, width]| input(&mut g, rows, width));
    let [four, uneven, none] = [[4, 8], [4, 6], [0, 8]].map(|[rows, width]| input(&mut g, rows, width));
    let vector = g.whole("vector", 1, 8, Source::tensor("vector")).expect("its name is new");
    let short = g.whole("short", 1, 4, Source::tensor("short")).expect("its name is new");
    let matrix = g.matrix("matrix", 6, 8, Source::tensor("matrix")).expect("its name is new");
    let thin = g.matrix("thin", 5, 4, Source::tensor("thin")).expect("its name is new");
    let grid = Grid { height: 2, width: 3 };
    let rope = RopeSpec { heads: 1, kv_heads: 1, head_dim: 4, capacity: 3, theta: 1e4, sequence_rows: None };
    let cache = CacheSpec { slots: 2, kv_heads: 1, capacity: 4, head_dim: 8 };
    let fold = FoldSpec { kernel_size: 2, stride: 2, padding: 0 };
    let wrong: Vec<(&str, Op)> = vec![
        ("ids of two words", Embed { ids: x, table: matrix, features: None, scale: 1.0 }.into()),
        ("features of another width", Embed { ids: one, table: matrix, features: Some(narrow), scale: 1.0 }.into()),
        ("a picture of other pixels", Patchify { image: pixels, size: [2, 2], patch: 1 }.into()),
        ("pictures of no pixels", Patchify { image: pixels, size: [0, 3], patch: 1 }.into()),
        ("a picture of two channels", Patchify { image: x, size: [2, 3], patch: 1 }.into()),
        ("patches of no pixels", Patchify { image: pixels, size: [2, 3], patch: 0 }.into()),
        ("patches taller than the picture", Patchify { image: pixels, size: [2, 3], patch: 3 }.into()),
        ("a table of another side", ResizeTable { table: four, from: 3, to: [2, 2] }.into()),
        ("a table of no places", ResizeTable { table: four, from: 0, to: [2, 2] }.into()),
        ("a grid without rows", ResizeTable { table: four, from: 2, to: [0, 2] }.into()),
        ("a grid of too many columns", ResizeTable { table: four, from: 2, to: [1, 16385] }.into()),
        ("a table of no whole vectors", ResizeTable { table: uneven, from: 2, to: [2, 2] }.into()),
        ("a prefix for no sequence", Prepend { prefix: vector, x: Some(x), sequences: 0 }.into()),
        ("a prefix for parts of rows", Prepend { prefix: vector, x: Some(x), sequences: 4 }.into()),
        ("a prefix of another width", Prepend { prefix: short, x: Some(x), sequences: 2 }.into()),
        ("a prefix of no rows", Prepend { prefix: none, x: Some(x), sequences: 2 }.into()),
        ("a prefix of no whole vectors", Prepend { prefix: odd, x: Some(odd), sequences: 2 }.into()),
        ("a row behind its sequence", SelectRows::one(x, 3, 3).into()),
        ("no row at all", SelectRows { x, sequence_rows: 3, rows: 1..1 }.into()),
        ("rows of parts of sequences", SelectRows::one(x, 4, 0).into()),
        ("rows of no whole vectors", SelectRows::one(odd, 3, 0).into()),
        ("the mean of no rows", MeanRows { x, sequence_rows: 3, skip: 3 }.into()),
        ("means of parts of sequences", MeanRows { x, sequence_rows: 4, skip: 0 }.into()),
        ("means of no whole vectors", MeanRows { x: odd, sequence_rows: 3, skip: 0 }.into()),
        ("a grid of other pixels", Unfold { x, grid: Grid { height: 2, width: 2 }, kernel_size: 3 }.into()),
        ("an even neighbourhood", Unfold { x, grid, kernel_size: 2 }.into()),
        ("patches of another width", Fold { x, bias: vector, grid, spec: fold }.into()),
        ("an input of another width", Linear::new(narrow, matrix, None).into()),
        ("a bias of another length", Linear::new(x, matrix, Some(vector)).into()),
        ("a residual of another width", Linear { residual: Some(narrow), ..Linear::new(x, matrix, None) }.into()),
        ("rows that the weight lacks", Linear { part: Some(4..7), ..Linear::new(x, matrix, None) }.into()),
        ("no rows of the weight", Linear { part: Some(4..4), ..Linear::new(x, matrix, None) }.into()),
        ("a norm of another width", LayerNorm { x, weight: vector, bias: short, eps: 1e-6 }.into()),
        (
            "a width of no whole vectors",
            RmsNorm { x: odd, weight: odd, residual: None, eps: 1e-6, rows: RowChoice::All }.into(),
        ),
        ("rows of another width", RopeAppend { qkv: x, k_cache: narrow, v_cache: narrow, spec: rope }.into()),
        ("a cache of other slots", GatherSlots { cache: x, spec: cache }.into()),
        ("an activation that does nothing", Activate { x, activation: Activation::None }.into()),
        ("a sum of two widths", Add { a: x, b: narrow }.into()),
        ("rows that do not divide those of the sum", Add { a: x, b: four }.into()),
        ("a sum of fewer rows than are added", Add { a: vector, b: x }.into()),
        ("next ids of other rows", ArgMax { logits: x, first_id: 0, next_ids: vector }.into()),
        ("the best none", TopK { logits: x, k: 0 }.into()),
        ("two ids a row", LogSoftmax { logits: x, ids: narrow }.into()),
    ];
    for (what, op) in wrong {
        let error = g.push(what, op).expect_err(what);
        assert!(error.to_string().starts_with(what), "the error names its node: {error}");
    }
    let pairs = Linear { activation: Activation::Gated(Function::GeluTanh), ..Linear::new(narrow, thin, None) };
    let error = g.push("five rows in pairs", pairs).expect_err("a gate without its up");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(g.nodes().count(), 0, "what was refused leaves no node");
}

#[test]
fn what_is_declared_twice_is_the_same_or_an_error() {
    let mut g = Graph::new("declared");
    let first = g.matrix("w", 4, 8, Source::tensor("w")).expect("its name is new");
    assert_eq!(g.matrix("w", 4, 8, Source::tensor("w")).expect("the same"), first);
    assert!(matches!(g.matrix("w", 4, 4, Source::tensor("w")), Err(ShapeError::Redeclared(_))));
    assert!(matches!(g.matrix("w", 4, 8, Source::tensor("v")), Err(ShapeError::Redeclared(_))));
    let state = g.state("s", StateKind::Input, 2, 3).expect("its name is new");
    assert_eq!(g.state("s", StateKind::Input, 2, 3).expect("the same"), state);
    assert!(matches!(g.state("s", StateKind::Output, 2, 3), Err(ShapeError::Redeclared(_))));
    assert!(matches!(g.store(state, "s", StateKind::Output), Err(ShapeError::Redeclared(_))));
    assert_eq!((g.weights().len(), g.states().len()), (1, 1));
}

#[test]
fn a_weight_that_the_table_lacks_is_named() {
    let mut g = Graph::new("unknown");
    let x = input(&mut g, 2, 8);
    let w = g.matrix("w", 4, 8, Source::tensor("w")).expect("its name is new");
    g.push("y", Linear::new(x, w, None)).expect("it fits");
    let layout = WeightLayout::new("w", 4, 4, crate::tensor::Dtype::F32, 1 << 20).expect("it fits");
    let capabilities = Capabilities {
        class: DeviceClass::Cpu,
        shader_f16: false,
        subgroups: None,
        max_binding_bytes: 1 << 20,
        max_buffer_bytes: 1 << 20,
        max_workgroup_invocations: 256,
        max_workgroup_bytes: 16 << 10,
        max_workgroups: 65_535,
    };
    for table in [WeightTable::default(), WeightTable::new(vec![layout])] {
        let error = lower(&g, &table, &capabilities).expect_err("it is not there in that shape");
        assert!(matches!(&error, ShapeError::UnknownWeight(name) if name == "w"), "{error}");
    }
}

/// x -> linear -> activation -> sum with the residual: three nodes become one, and a second reader keeps them apart.
#[test]
fn merges_go_on_from_merged_nodes_and_stop_at_a_second_reader() {
    let chain = |second_reader: bool| {
        let mut g = Graph::new("chain");
        let (x, r) = (input(&mut g, 2, 8), input(&mut g, 2, 4));
        let w = g.matrix("w", 4, 8, Source::tensor("w")).expect("its name is new");
        let y = g.push("y", Linear::new(x, w, None)).expect("it fits");
        let z = g.push("z", Activate { x: y, activation: Activation::Map(Function::GeluTanh) }).expect("it fits");
        if second_reader {
            let copy = g.push("copy", Activate { x: y, activation: Activation::Map(Function::Relu) }).expect("it fits");
            g.store(copy, "copy", StateKind::Output).expect("its name is new");
        }
        let sum = g.push("sum", Add { a: r, b: z }).expect("it fits");
        g.store(sum, "sum", StateKind::Output).expect("its name is new");
        fuse(g)
    };
    let fused: Vec<Op> = chain(false).nodes().map(|node| node.op.clone()).collect();
    match &fused[..] {
        [Op::Linear(Linear { activation: Activation::Map(Function::GeluTanh), residual: Some(_), .. })] => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(chain(true).nodes().count(), 4, "what two nodes read is not merged into one of them");
}

/// A table of positions over several pictures is added by itself: residuals do not repeat.
#[test]
fn rows_that_repeat_are_not_merged_as_a_residual() {
    let nodes = |rows: usize, swap: bool| {
        let mut g = Graph::new("positions");
        let (x, table) = (input(&mut g, 6, 8), input(&mut g, rows, 4));
        let w = g.matrix("w", 4, 8, Source::tensor("w")).expect("its name is new");
        let y = g.push("y", Linear::new(x, w, None)).expect("it fits");
        let sum = if swap { Add { a: table, b: y } } else { Add { a: y, b: table } };
        let sum = g.push("sum", sum).expect("it fits");
        assert_eq!([g.rows(sum), g.width(sum)], [rows.max(6), 4]);
        g.store(sum, "sum", StateKind::Output).expect("its name is new");
        fuse(g).nodes().count()
    };
    assert_eq!([nodes(6, false), nodes(6, true)], [1, 1]);
    assert_eq!([nodes(3, false), nodes(1, false), nodes(12, true)], [2, 2, 2]);
}
