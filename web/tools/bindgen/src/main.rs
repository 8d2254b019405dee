//! `ocelli-bindgen IN.wasm OUT_DIR NAME`: writes `NAME.js`, `NAME.d.ts` and `NAME_bg.wasm`.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, out_dir, name] = arguments.as_slice() else {
        eprintln!("usage: ocelli-bindgen IN.wasm OUT_DIR NAME");
        return ExitCode::from(2);
    };
    match glue(input, out_dir, name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{input}: no JavaScript glue could be made: {message}");
            ExitCode::FAILURE
        }
    }
}

/// An ES module for browsers that the page starts with its default export, which fetches the module beside it. Function names stay in:
/// the size report reads them, and wasm-opt drops them.
fn glue(input: &str, out_dir: &str, name: &str) -> Result<(), String> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).out_name(name).typescript(true).omit_default_module_path(false);
    bindgen.demangle(false).remove_producers_section(true);
    bindgen.web(true).map_err(|error| format!("{error:#}"))?;
    bindgen.generate(out_dir).map_err(|error| format!("{error:#}"))
}
