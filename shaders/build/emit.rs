use std::collections::BTreeMap;
use std::fmt::Write;

use super::reflect::{FieldType, Kernel, Struct};

/// The Rust source of the choice of a kernel's CPU twin: a kernel without one does not compile.
pub fn twins(kernels: &[Kernel]) -> String {
    let arms: String = files(kernels)
        .iter()
        .map(|file| format!("Kernel::{} => |call, _| twins::{file}(call),\n", camel(file)))
        .collect();
    format!(
        "/// The plain twin of a kernel: the oracle.\npub(super) fn plain(kernel: Kernel) -> Run {{\nmatch kernel {{\n{arms}}}\n}}\n"
    )
}

/// Shader files, in the order of the table.
fn files(kernels: &[Kernel]) -> Vec<&str> {
    let mut files: Vec<&str> = kernels.iter().map(|kernel| kernel.file.as_str()).collect();
    files.dedup();
    files
}

/// The Rust source of the kernel table.
pub fn table(kernels: &[Kernel], faults: &mut Vec<String>) -> String {
    let mut out = String::new();
    kernel_ids(&mut out, kernels);
    let mut structs: BTreeMap<&str, &Struct> = BTreeMap::new();
    let mut step: Option<&Struct> = None;
    for kernel in kernels {
        if let Some(params) = &kernel.params
            && *structs.entry(&params.name).or_insert(params) != params
        {
            faults.push(format!("{}: {} differs from another kernel's", kernel.name, params.name));
        }
        if let Some(found) = &kernel.step
            && step.get_or_insert(found) != &found
        {
            faults.push(format!("{}: Step differs from another kernel's", kernel.name));
        }
        for field in kernel.params.iter().chain(&kernel.step).flat_map(|s| &s.fields) {
            if field.doc.is_empty() {
                faults.push(format!("{}: {} has no comment", kernel.name, field.name));
            }
        }
    }
    out.push_str("/// Parameter structs, as the shaders declare them.\npub mod params {\n");
    structs.values().for_each(|s| uniform_struct(&mut out, s, "Parameters of the kernels that declare this struct."));
    out.push_str("}\n");
    if let Some(step) = step {
        for field in &step.fields {
            if let FieldType::Array(element, _) = &field.ty {
                uniform_struct(&mut out, element, &sentence(&field.doc));
            }
        }
        uniform_struct(&mut out, step, "What changes from one play of a recording to the next.");
    }
    out
}

fn kernel_ids(out: &mut String, kernels: &[Kernel]) {
    out.push_str("/// A kernel in all its permutations: a shader file.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]\npub enum Kernel {\n");
    for file in files(kernels) {
        let _ = writeln!(out, "/// `{file}.wgsl`.\n{},", camel(file));
    }
    out.push_str("}\n");
    out.push_str("/// A kernel: a shader file and its permutation.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]\n#[repr(u16)]\npub enum KernelId {\n");
    for kernel in kernels {
        let _ = writeln!(out, "/// `{}`.\n{},", kernel.name, camel(&kernel.name));
    }
    out.push_str("}\nimpl KernelId {\n/// Every kernel in the order of the table.\npub const ALL: &[KernelId] = &[\n");
    for kernel in kernels {
        let _ = writeln!(out, "KernelId::{},", camel(&kernel.name));
    }
    out.push_str("];\n}\npub(super) static KERNELS: &[KernelInfo] = &[\n");
    for kernel in kernels {
        let bindings: Vec<&str> =
            kernel.bindings.iter().map(|w| if *w { "Access::ReadWrite" } else { "Access::Read" }).collect();
        let _ = writeln!(
            out,
            "KernelInfo {{ name: {:?}, kernel: Kernel::{}, weight: {}, wgsl: {:?}, bindings: &[{}], params_size: {}, uses_step: {}, needs: Needs {{ shader_f16: {}, subgroups: {} }} }},",
            kernel.name,
            camel(&kernel.file),
            kernel.weight.as_ref().map_or("None".into(), |dtype| format!("Some(Dtype::{dtype})")),
            without_comments(&kernel.wgsl),
            bindings.join(", "),
            kernel.params.as_ref().map_or(0, |p| p.size),
            kernel.step.is_some(),
            kernel.needs_f16,
            kernel.needs_subgroups,
        );
    }
    out.push_str("];\n");
}

fn uniform_struct(out: &mut String, s: &Struct, doc: &str) {
    // Arrays may be longer than those that the standard library makes a default of.
    let default = if s.fields.iter().all(|f| matches!(f.ty, FieldType::Scalar(_))) { "Default, " } else { "" };
    let _ = writeln!(
        out,
        "/// {doc}\n#[repr(C)]\n#[derive(Debug, Clone, Copy, {default}PartialEq, bytemuck::Pod, bytemuck::Zeroable)]\npub struct {} {{",
        s.name
    );
    let mut end = 0;
    for field in &s.fields {
        padding(out, end, field.offset);
        let ty = match &field.ty {
            FieldType::Scalar(scalar) => (*scalar).to_owned(),
            FieldType::Array(element, count) => format!("[{}; {count}]", element.name),
        };
        let _ = writeln!(out, "/// {}\npub {}: {ty},", sentence(&field.doc), field.name);
        end = field.offset + field.size();
    }
    // Uniform buffers come in steps of 16 bytes.
    padding(out, end, s.size);
    out.push_str("}\n");
    let _ = writeln!(out, "const _: () = assert!(size_of::<{}>() == {});", s.name, s.size);
}

fn padding(out: &mut String, from: u32, to: u32) {
    if from < to {
        let _ = writeln!(out, "/// Fills the struct up to 16 bytes.\npub padding: [u32; {}],", (to - from) / 4);
    }
}

/// Names in square brackets would read as links.
fn sentence(doc: &str) -> String {
    let mut doc = doc.replace('[', "\\[").replace(']', "\\]").replace('<', "\\<");
    if let Some(first) = doc.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if doc.ends_with('.') { doc } else { doc + "." }
}

fn camel(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// Comments are for readers of the files; browsers download the text. WGSL has no strings that could hold `//`.
fn without_comments(wgsl: &str) -> String {
    let code = wgsl.lines().map(|line| line.split("//").next().unwrap_or_default().trim_end());
    code.filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}
