use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, ArraySize, Handle, Module, ScalarKind, StorageAccess, Type, TypeInner};

use super::permutations::Permutation;

/// A validated kernel and what Rust must know of it.
pub struct Kernel {
    pub name: String,
    /// Stem of the shader file.
    pub file: String,
    /// The variant of `Dtype` that its weight has, if it has one.
    pub weight: Option<String>,
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

/// A struct of 32-bit scalars, and arrays of such structs.
#[derive(PartialEq, Clone)]
pub struct Struct {
    pub name: String,
    pub fields: Vec<Field>,
    /// Bytes, padding at the end included.
    pub size: u32,
}

#[derive(PartialEq, Clone)]
pub struct Field {
    pub name: String,
    pub doc: String,
    /// First byte.
    pub offset: u32,
    pub ty: FieldType,
}

#[derive(PartialEq, Clone)]
pub enum FieldType {
    /// `u32`, `i32` or `f32`.
    Scalar(&'static str),
    /// So many structs, one behind the other.
    Array(Struct, u32),
}

impl Field {
    /// Bytes.
    pub fn size(&self) -> u32 {
        match &self.ty {
            FieldType::Scalar(_) => 4,
            FieldType::Array(element, count) => element.size * count,
        }
    }
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
        file: permutation.file.clone(),
        weight: permutation.weight(),
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
    structure(module, wgsl, variable.ty).map(Some)
}

fn structure(module: &Module, wgsl: &str, ty: Handle<Type>) -> Result<Struct, String> {
    let ty = &module.types[ty];
    let (Some(name), TypeInner::Struct { members, span }) = (&ty.name, &ty.inner) else {
        return Err("a uniform must be a struct".into());
    };
    let mut fields = Vec::new();
    let mut end = 0;
    for member in members {
        let field = member.name.clone().ok_or("a field without a name")?;
        let ty = match module.types[member.ty].inner {
            TypeInner::Scalar(scalar) => FieldType::Scalar(match (scalar.kind, scalar.width) {
                (ScalarKind::Uint, 4) => "u32",
                (ScalarKind::Sint, 4) => "i32",
                (ScalarKind::Float, 4) => "f32",
                _ => return Err(format!("{name}.{field} must be u32, i32 or f32")),
            }),
            TypeInner::Array { base, size: ArraySize::Constant(count), stride } => {
                let element = structure(module, wgsl, base).map_err(|e| format!("{name}.{field}: {e}"))?;
                if stride != element.size {
                    return Err(format!("{name}.{field}: its elements are {stride} bytes apart, not {}", element.size));
                }
                FieldType::Array(element, count.get())
            }
            _ => return Err(format!("{name}.{field} must be a scalar or an array of structs")),
        };
        // Rust's layout has no holes but those that are written out; between scalars there shall be none.
        if member.offset != end && matches!(ty, FieldType::Scalar(_)) {
            return Err(format!("{name}.{field} is not at byte {end}"));
        }
        let field = Field { doc: comment(wgsl, name, &field), name: field, offset: member.offset, ty };
        end = field.offset + field.size();
        fields.push(field);
    }
    Ok(Struct { name: name.clone(), fields, size: span.next_multiple_of(16) })
}

/// The comment at the end of the line on which a struct's field stands.
fn comment(wgsl: &str, structure: &str, field: &str) -> String {
    let body = wgsl.split_once(&format!("struct {structure} {{")).map_or("", |(_, rest)| rest);
    let line = body.lines().take_while(|line| *line != "}").find(|line| {
        let code = line.split("//").next().unwrap_or_default();
        code.split(':').next().and_then(|name| name.split_whitespace().last()) == Some(field)
    });
    line.and_then(|line| line.split_once("//")).map(|(_, doc)| doc.trim().to_owned()).unwrap_or_default()
}
