//! `ocelli devices`: every adapter with its class, limits and features.

use std::fmt::Write;

use ocelli::base::Result;
use ocelli::session::{AdapterReport, DeviceClass, adapters, automatic};
use serde::Serialize;

use super::args::DevicesArgs;
use super::json;

#[derive(Serialize)]
struct Listing<'a> {
    adapters: Vec<Adapter<'a>>,
    /// What `--device auto` takes: an adapter's name or `cpu`.
    automatic: &'a str,
}

#[derive(Serialize)]
struct Adapter<'a> {
    name: &'a str,
    class: &'static str,
    kind: &'a str,
    backend: &'a str,
    driver: &'a str,
    shader_f16: bool,
    /// Smallest and largest width, if subgroup operations work.
    subgroups: Option<[u32; 2]>,
    max_binding_bytes: usize,
    max_buffer_bytes: usize,
    max_workgroup_invocations: u32,
    max_workgroup_bytes: u32,
}

pub async fn devices(args: &DevicesArgs) -> Result<()> {
    let found = adapters().await;
    let automatic = automatic(&found).map_or("cpu", |adapter| adapter.name.as_str());
    if args.json {
        json::print(&Listing { adapters: found.iter().map(describe).collect(), automatic })?;
    } else {
        json::text(&table(&found, automatic))?;
    }
    Ok(())
}

fn describe(adapter: &AdapterReport) -> Adapter<'_> {
    let c = &adapter.capabilities;
    Adapter {
        name: &adapter.name,
        class: match c.class {
            DeviceClass::Gpu => "gpu",
            DeviceClass::Software => "software",
            DeviceClass::Cpu => "cpu",
        },
        kind: adapter.kind,
        backend: &adapter.backend,
        driver: &adapter.driver,
        shader_f16: c.shader_f16,
        subgroups: c.subgroups.map(|sizes| [sizes.min, sizes.max]),
        max_binding_bytes: c.max_binding_bytes,
        max_buffer_bytes: c.max_buffer_bytes,
        max_workgroup_invocations: c.max_workgroup_invocations,
        max_workgroup_bytes: c.max_workgroup_bytes,
    }
}

fn table(found: &[AdapterReport], automatic: &str) -> String {
    let mut text = String::new();
    for adapter in found {
        let a = describe(adapter);
        let subgroups = a.subgroups.map_or("no subgroups".into(), |[min, max]| format!("subgroups of {min} to {max}"));
        let f16 = if a.shader_f16 { "f16" } else { "no f16" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", a.name);
        let _ = writeln!(text, "  {} ({}), {}, driver {}", a.class, a.kind, a.backend, a.driver);
        let _ = writeln!(text, "  {f16}, {subgroups}");
        let _ = writeln!(
            text,
            "  bindings of {} MiB, buffers of {} MiB, {} invocations and {} KiB a workgroup",
            a.max_binding_bytes >> 20,
            a.max_buffer_bytes >> 20,
            a.max_workgroup_invocations,
            a.max_workgroup_bytes >> 10,
        );
    }
    if found.is_empty() {
        text.push_str("no adapters\n");
    }
    let _ = writeln!(text, "--device auto takes: {automatic}");
    text
}
