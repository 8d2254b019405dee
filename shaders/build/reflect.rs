use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ScalarKind, StorageAccess, TypeInner};

use super::permutations::Permutation;

/// A validated kernel and what Rust must know of it.
pub struct Kernel {
    pub name: String,
    pub base: String,
    pub wgsl: String,
    /// `@group(0)` in binding order: is it written?
    pub bindings: Vec<bool>,
    /// The type of `params`, if the kernel has any.
    pub params: Option<Struct>,
    /// The type of `step`, if the kernel uses it.
    pub step: Option<Struct>,
    pub needs_f16: bool,
    pub needs_subgroups: bool,
}

/// A struct of 32-bit scalars.
#[derive(PartialEq, Clone)]
pub struct Struct {
    pub name: String,
    pub fields: Vec<Field>,
}

#[derive(PartialEq, Clone)]
pub struct Field {
    pub name: String,
    pub doc: String,
    /// `u32`, `i32` or `f32`.
    pub scalar: &'static str,
}

/// Parses, validates and reflects the text of one permutation.
pub fn reflect(permutation: &Permutation, wgsl: String) -> Result<Kernel, String> {
    // naga knows the subgroup builtins but not the directive that browsers ask for.
    let needs_subgroups = wgsl.contains("enable subgroups;");
    let wgsl = wgsl.replace("enable subgroups;", "");
    let module = naga::front::wgsl::parse_str(&wgsl).map_err(|e| e.emit_to_string(&wgsl))?;
    let capabilities = Capabilities::SHADER_FLOAT16 | Capabilities::SHADER_FLOAT16_IN_FLOAT32 | Capabilities::SUBGROUP;
    Validator::new(ValidationFlags::all(), capabilities).validate(&module).map_err(|e| e.emit_to_string(&wgsl))?;
    // One pipeline a kernel: what a driver compiles is what a first answer waits for.
    if !module.overrides.is_empty() {
        return Err("overrides make several pipelines of one kernel; put the value into the parameters".into());
    }
    if module.entry_points.len() != 1 || module.entry_points[0].name != "main" {
        return Err("expected exactly one entry point, main".into());
    }
    Ok(Kernel {
        name: permutation.name.clone(),
        base: permutation.base.clone(),
        bindings: bindings(&module)?,
        params: uniform(&module, &wgsl, 0)?,
        step: uniform(&module, &wgsl, 1)?,
        needs_f16: wgsl.contains("enable f16;"),
        needs_subgroups,
        wgsl,
    })
}

fn bindings(module: &Module) -> Result<Vec<bool>, String> {
    let mut found: Vec<(u32, bool)> = Vec::new();
    for (_, variable) in module.global_variables.iter() {
        let (Some(binding), AddressSpace::Storage { access }) = (&variable.binding, variable.space) else { continue };
        if binding.group != 0 {
            return Err("storage buffers belong to @group(0)".into());
        }
        found.push((binding.binding, access.contains(StorageAccess::STORE)));
    }
    found.sort();
    if found.iter().enumerate().any(|(i, (binding, _))| *binding != i as u32) {
        return Err("bindings of @group(0) are not 0, 1, 2, …".into());
    }
    if found.len() > 8 {
        return Err(format!("{} storage buffers; devices promise 8", found.len()));
    }
    Ok(found.into_iter().map(|(_, written)| written).collect())
}

/// The struct at `@group(1) @binding(binding)`.
fn uniform(module: &Module, wgsl: &str, binding: u32) -> Result<Option<Struct>, String> {
    let variable =
        module.global_variables.iter().map(|(_, v)| v).find(|v| {
            v.space == AddressSpace::Uniform && v.binding.is_some_and(|b| b.group == 1 && b.binding == binding)
        });
    let Some(variable) = variable else { return Ok(None) };
    let ty = &module.types[variable.ty];
    let (Some(name), TypeInner::Struct { members, .. }) = (&ty.name, &ty.inner) else {
        return Err("a uniform must be a struct".into());
    };
    let mut fields = Vec::new();
    for (i, member) in members.iter().enumerate() {
        let field = member.name.clone().ok_or("a field without a name")?;
        let TypeInner::Scalar(scalar) = module.types[member.ty].inner else {
            return Err(format!("{name}.{field} must be a scalar"));
        };
        let scalar = match (scalar.kind, scalar.width) {
            (ScalarKind::Uint, 4) => "u32",
            (ScalarKind::Sint, 4) => "i32",
            (ScalarKind::Float, 4) => "f32",
            _ => return Err(format!("{name}.{field} must be u32, i32 or f32")),
        };
        if member.offset != 4 * i as u32 {
            return Err(format!("{name}.{field} is not at byte {}", 4 * i));
        }
        let doc = comment(wgsl, &format!("{field}: {scalar}"));
        fields.push(Field { name: field, doc, scalar });
    }
    Ok(Some(Struct { name: name.clone(), fields }))
}

/// The comment at the end of the line on which `declaration` stands.
fn comment(wgsl: &str, declaration: &str) -> String {
    let line = wgsl.lines().find(|l| l.trim_start().starts_with(declaration)).unwrap_or_default();
    line.split_once("//").map(|(_, doc)| doc.trim().to_owned()).unwrap_or_default()
}
