//! `matmul_tiled`, `matmul_regs`, `matvec`, `matvec_serial`: every dtype and epilogue, odd sizes, shards, row choice.

use ocelli::kernels::params::LinearParams;
use ocelli::kernels::{Activation, Function, Kernel, KernelId, Sequence, Step};
use ocelli::quant::{encode_rows, layout};
use ocelli::tensor::Dtype;

use crate::case::{KernelCase, Operand, dispatch, given, rows_up_to, written_of};
use crate::random::Random;
use crate::tolerance::{CURVED, SUMMED};

/// Sizes of a case: rows of x that count and that there is room for, K, rows of the whole weight, the shard's first
/// row, rows of its buffer that are left out in front, its rows, and which row of x comes first.
struct Shape {
    tokens: usize,
    capacity: usize,
    k: usize,
    all_rows: usize,
    first_row: usize,
    skip: usize,
    rows: usize,
    x_row: u32,
}

const SHAPES: [Shape; 5] = [
    Shape { tokens: 1, capacity: 1, k: 4, all_rows: 2, first_row: 0, skip: 0, rows: 2, x_row: 0 },
    // K is no multiple of the block of 32, and the shard is the middle of the weight.
    Shape { tokens: 5, capacity: 7, k: 36, all_rows: 16, first_row: 4, skip: 3, rows: 10, x_row: 0 },
    Shape { tokens: 1, capacity: 1, k: 260, all_rows: 70, first_row: 0, skip: 0, rows: 70, x_row: u32::MAX },
    Shape { tokens: 3, capacity: 4, k: 100, all_rows: 134, first_row: 132, skip: 5, rows: 2, x_row: 2 },
    // More than a tile of every kernel in every direction.
    Shape { tokens: 67, capacity: 80, k: 132, all_rows: 138, first_row: 0, skip: 2, rows: 138, x_row: 0 },
];

/// Rows of x behind which the last valid one is looked for.
const STEP_TOKENS: u32 = 5;

/// The activation, and whether there are a bias and a residual (1) or not.
type Epilogue = (Activation, [u32; 2]);

/// Epilogues that together use every part; one for each shape.
const SOME: [Epilogue; 5] = [
    (Activation::None, [0, 0]),
    (Activation::Map(Function::GeluTanh), [1, 0]),
    (Activation::Map(Function::Softcap(CAP)), [0, 1]),
    (Activation::Gated(Function::GeluTanh), [1, 1]),
    (Activation::Map(Function::Relu), [1, 1]),
];

const CAP: f32 = 1.5;

pub fn cases() -> Vec<KernelCase> {
    let kernels = KernelId::ALL.iter().copied().filter(|kernel| columns_and_rows(*kernel).is_some());
    let mut cases = Vec::new();
    for kernel in kernels {
        cases.extend(SHAPES.iter().zip(SOME).map(|(shape, epilogue)| case(kernel, shape, epilogue)));
        // An epilogue does not know the dtype of the weights, so all combinations are for one dtype.
        let epilogues: Vec<_> = if dtype(kernel) == Dtype::F32 { every_epilogue().collect() } else { SOME.to_vec() };
        cases.extend(epilogues.into_iter().map(|epilogue| case(kernel, &SHAPES[1], epilogue)));
    }
    for kernel in [KernelId::MatmulTiledF32, KernelId::MatmulRegsQ8, KernelId::MatvecQ4, KernelId::MatvecSerialF16] {
        for sequence_rows in [1, 7] {
            cases.extend([1, 2, 3, 5, 33, 64].map(|count| last_rows(kernel, count, sequence_rows)));
        }
    }
    cases
}

/// The last valid row of every sequence of a pass, times a weight of 9 rows.
fn last_rows(kernel: KernelId, count: usize, sequence_rows: usize) -> KernelCase {
    let (k, rows) = (36, 9);
    let mut case = case(
        kernel,
        &Shape { tokens: count, capacity: count, k, all_rows: rows, first_row: 0, skip: 0, rows, x_row: 0 },
        SOME[0],
    );
    case.label += &format!(" of sequences of {sequence_rows}");
    let mut random = Random::new(&case.label);
    case.operands[0] = given(&random.floats(count * sequence_rows * k));
    let mut params: LinearParams = bytemuck::pod_read_unaligned(&case.dispatches[0].params);
    (params.x_row, params.sequence_rows) = (u32::MAX, sequence_rows as u32);
    case.dispatches[0].params = bytemuck::bytes_of(&params).to_vec();
    let sequences: Vec<Sequence> =
        (0..count).map(|_| Sequence { tokens: 1 + random.below(sequence_rows as u32), ..Default::default() }).collect();
    case.step = Step::of(&sequences, sequence_rows).expect("they fit");
    case
}

fn every_epilogue() -> impl Iterator<Item = Epilogue> {
    let functions = Function::all(CAP);
    let maps = functions.map(Activation::Map).into_iter().chain(functions.map(Activation::Gated));
    let all = maps.chain([Activation::None]);
    all.flat_map(|activation| [[0, 0], [0, 1], [1, 0], [1, 1]].map(|operands| (activation, operands)))
}

/// Weight rows and rows of x that a workgroup covers; nothing for kernels of other families.
fn columns_and_rows(kernel: KernelId) -> Option<(usize, usize)> {
    match kernel.info().kernel {
        Kernel::MatmulTiled => Some((64, 64)),
        Kernel::MatmulRegs => Some((128, 16)),
        Kernel::Matvec => Some((4, 1)),
        Kernel::MatvecSerial => Some((64, 1)),
        _ => None,
    }
}

fn dtype(kernel: KernelId) -> Dtype {
    let has = |name: &str| kernel.info().name.split('_').any(|part| part == name);
    [Dtype::F16, Dtype::Q8, Dtype::Q4].into_iter().find(|dtype| has(dtype.name())).unwrap_or(Dtype::F32)
}

fn case(kernel: KernelId, shape: &Shape, (activation, [bias, residual]): Epilogue) -> KernelCase {
    let info = kernel.info();
    let Shape { tokens, capacity, k, all_rows, first_row, skip, rows, x_row } = *shape;
    let label = format!(
        "{} T={tokens}/{capacity} K={k} N={rows} of {all_rows} {activation:?} bias={bias} residual={residual}",
        info.name
    );
    let mut random = Random::new(&label);
    let step_tokens = if x_row == u32::MAX { STEP_TOKENS } else { tokens as u32 };
    let x_rows = match x_row {
        u32::MAX => STEP_TOKENS as usize,
        first => first as usize + tokens,
    };
    let (columns, out_stride) = (activation.width(rows), activation.width(all_rows));
    let mut operands = vec![rows_up_to(&mut random, x_rows, x_rows + capacity - tokens, k)];
    let weight = encode_rows(dtype(kernel), &random.floats((skip + rows) * k), k).expect("random weights are finite");
    let bytes = layout(dtype(kernel), k);
    operands.push(Operand::Given(weight.data));
    if !weight.scales.is_empty() {
        operands.push(Operand::Given(weight.scales));
    }
    // What an epilogue does not use is bound all the same, and must not be looked at.
    let of = |used: u32, values: Vec<f32>| if used == 1 { given(&values) } else { given(&[f32::NAN]) };
    operands.push(of(bias, random.floats(all_rows)));
    operands.push(of(residual, random.floats(capacity * out_stride)));
    operands.push(written_of(capacity * out_stride, tokens * columns));
    let params = LinearParams {
        tokens: capacity as u32,
        k: k as u32,
        rows: rows as u32,
        first_row: first_row as u32,
        out_stride: out_stride as u32,
        row_words: (bytes.row_bytes / 4) as u32,
        row_scales: bytes.row_scales as u32,
        x_row,
        weight_row: skip as u32,
        act: activation.code(),
        gated: u32::from(activation.is_gated()),
        cap: activation.cap(),
        bias,
        residual,
        sequence_rows: u32::MAX,
        ..Default::default()
    };
    let (wide, tall) = columns_and_rows(kernel).unwrap_or((1, 1));
    let groups = rows.div_ceil(wide);
    // Only matvec has so many columns that they are folded over x and z, which may leave workgroups without work.
    let z = if info.kernel == Kernel::Matvec { groups.div_ceil(5) } else { 1 };
    let grid = [groups.div_ceil(z), capacity.div_ceil(tall), z];
    let tolerance = match activation {
        Activation::None => SUMMED,
        _ => CURVED,
    };
    let count = operands.len();
    let dispatches = vec![dispatch(kernel, count, &params, grid)];
    KernelCase { label, operands, dispatches, step: Step::one(0, step_tokens, 0, 0), tolerance }
}
