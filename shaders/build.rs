//! Turns `shaders/*.wgsl` into the kernel table: preprocesses, validates and reflects every permutation.
//!
//! Parameter structs are written from the WGSL itself, so Rust and WGSL cannot drift apart.

#[path = "build/emit.rs"]
mod emit;
#[path = "build/permutations.rs"]
mod permutations;
#[path = "build/preprocess.rs"]
mod preprocess;
#[path = "build/reflect.rs"]
mod reflect;

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=shaders");
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR for build scripts");
    embedded_model(Path::new(&package));
    encoders();
    let folder = Path::new(&package).join("shaders");
    let mut kernels = Vec::new();
    let mut faults = Vec::new();
    for permutation in permutations::read(&folder.join("permutations")) {
        let compiled = preprocess::expand(&folder, &permutation)
            .and_then(|wgsl| reflect::reflect(&permutation, wgsl).map_err(|e| format!("{}: {e}", permutation.name)));
        match compiled {
            Ok(kernel) => kernels.push(kernel),
            Err(fault) => faults.push(fault),
        }
    }
    let table = emit::table(&kernels, &mut faults);
    if !faults.is_empty() {
        for fault in &faults {
            eprintln!("{fault}\n");
        }
        eprintln!("{} faults in shaders", faults.len());
        std::process::exit(1);
    }
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    for (file, text) in [("kernels.rs", table), ("twins.rs", emit::twins(&kernels))] {
        std::fs::write(Path::new(&out).join(file), text).expect("OUT_DIR is writable");
    }
}

/// Whether models that make vectors are known (SigLIP, vision transformers). The module of a page that captions has no room for
/// them: it stays below what `web/scripts/size.mjs` allows.
fn encoders() {
    println!("cargo::rustc-check-cfg=cfg(encoders)");
    let wasm = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32");
    if !wasm || std::env::var_os("CARGO_FEATURE_EXTRA").is_some() {
        println!("cargo::rustc-cfg=encoders");
    }
}

/// Whether the program gets its built-in model: the repository has it, the package of a registry does not.
fn embedded_model(package: &Path) {
    println!("cargo::rustc-check-cfg=cfg(embedded_model)");
    let manifest = package.join("web/models/tiny/ocelli.json");
    if manifest.is_file() {
        println!("cargo::rerun-if-changed={}", manifest.display());
        println!("cargo::rustc-cfg=embedded_model");
    }
}
