//! timm's `config.json`: an architecture by name, and what of it the checkpoint changes.
//!
//! Source: timm 1.0.31, `models/_hub.py` (`_parse_model_cfg`), `models/_builder.py` (`_update_default_model_kwargs`) and
//! `models/vision_transformer.py`.

use serde_json::{Map, Value};

use super::preset::{Family, Pool};
use crate::base::{Field, FieldError, Fields, Result};
use crate::image::Preprocessor;
use crate::models::Labels;
use crate::models::blocks::{
    EncoderConfig, ImageTower, PatchOrder, Pooling, Prefix, TIMM, TIMM_POOL, VitConfig, check_head_size, listed_labels,
};
use crate::ops::Function;

/// Reads the contents of a `config.json` with timm's `architecture`: the model, and how its pictures are prepared.
pub fn open(json: &Value) -> Result<(ImageTower, Preprocessor)> {
    let fields = Fields::of("config.json", json)?;
    let trained = fields.optional("pretrained_cfg", |part| part.object())?;
    // Older files have what belongs to the checkpoint at the top.
    let trained = trained.unwrap_or_else(|| fields.clone());
    let tower = tower(&fields, &trained)?;
    let preprocessor = Preprocessor::from_timm(&trained, tower.vit.image_size)?;
    Ok((tower, preprocessor))
}

fn tower(fields: &Fields<'_>, trained: &Fields<'_>) -> Result<ImageTower, FieldError> {
    let name = fields.required("architecture", "an architecture of timm")?;
    let (family, size) = Family::find(name.string()?).ok_or_else(|| unknown(&name))?;
    let nothing = Value::Object(Map::default());
    let nothing = Fields::of("config.json", &nothing)?;
    let args = fields.optional("model_args", |args| args.object())?.unwrap_or(nothing);
    args.only(&ARGUMENTS)?;
    check_neutral(&args)?;
    let vit = vit(family, &args, input_side(trained)?.unwrap_or(size))?;
    let (pooling, pooled_norm) = pooling(family, &args, trained, &vit)?;
    let head = head(fields, trained, &args)?;
    Ok(ImageTower { vit, budget: None, pooling, pooled_norm, head })
}

/// An error that says what is known.
fn unknown(name: &Field<'_>) -> FieldError {
    let known: Vec<String> = super::FAMILIES.iter().map(Family::names).collect();
    let known = known.join(", ");
    name.unsupported(&known).with_remedy(format!("Use a checkpoint of one of them: {known}."))
}

/// The arguments of timm's builder that are read.
const ARGUMENTS: [&str; 24] = [
    "img_size",
    "patch_size",
    "in_chans",
    "num_classes",
    "global_pool",
    "embed_dim",
    "depth",
    "num_heads",
    "mlp_ratio",
    "qkv_bias",
    "qk_norm",
    "proj_bias",
    "init_values",
    "class_token",
    "no_embed_class",
    "reg_tokens",
    "pre_norm",
    "final_norm",
    "fc_norm",
    "pool_include_prefix",
    "dynamic_img_size",
    "act_layer",
    "drop_rate",
    "drop_path_rate",
];

/// Fails on an argument that asks for what no transformer here has.
fn check_neutral(args: &Fields<'_>) -> Result<(), FieldError> {
    let switches = [
        ("qk_norm", false),
        ("proj_bias", true),
        ("pre_norm", false),
        ("final_norm", true),
        ("pool_include_prefix", false),
        ("dynamic_img_size", false),
    ];
    for (name, must) in switches {
        if let Some(switch) = args.non_null(name)
            && switch.bool()? != must
        {
            return Err(switch.unsupported(must));
        }
    }
    args.usize("in_chans", 3, 3..=3).map(|_| ())
}

/// Pixels along a side of the pictures that the checkpoint was trained on: `[3, S, S]`.
fn input_side(trained: &Fields<'_>) -> Result<Option<usize>, FieldError> {
    trained.optional("input_size", |size| {
        let [channels, height, width] = size.list_of()?;
        channels.usize(3..=3)?;
        let side = height.usize(1..=8192)?;
        if width.usize(1..=8192)? == side { Ok(side) } else { Err(size.unsupported("a square")) }
    })
}

fn vit(family: &Family, args: &Fields<'_>, image_size: usize) -> Result<VitConfig, FieldError> {
    let shape = family.shape;
    let patch = args.usize("patch_size", family.patch, 1..=256)?;
    let image_size = match args.non_null("img_size") {
        Some(size) => side(&size, patch)?,
        None => image_size,
    };
    let width = args.usize("embed_dim", shape.width, 4..=1 << 16)?;
    let layers = args.usize("depth", shape.depth, 1..=1024)?;
    let heads = args.divisor("num_heads", shape.heads, width)?;
    check_head_size(args, "embed_dim / num_heads", width / heads)?;
    let ratio = args.optional("mlp_ratio", |ratio| ratio.positive_f64())?.unwrap_or(shape.mlp_ratio);
    let encoder = EncoderConfig {
        width,
        layers,
        heads,
        mlp: (width as f64 * ratio) as usize,
        eps: 1e-6,
        activation: activation(family, args)?,
        qkv_bias: args.optional("qkv_bias", |bias| bias.bool())?.unwrap_or(family.qkv_bias),
        layer_scale: args
            .nullable("init_values", family.layer_scale.then_some(()), |value| value.number().map(|_| ()))?
            .is_some(),
        names: TIMM,
    };
    let class = args.optional("class_token", |class| class.bool())?.unwrap_or(family.pool == Pool::Token);
    let registers = args.usize("reg_tokens", family.registers, 0..=1024)?;
    let apart = args.optional("no_embed_class", |apart| apart.bool())?.unwrap_or(family.no_embed_class);
    let prefix = Prefix { class, registers, positions: !apart };
    Ok(VitConfig { encoder, image_size, patch, patch_order: PatchOrder::Channels, prefix })
}

/// `img_size`: a number, or the same one twice.
fn side(size: &Field<'_>, patch: usize) -> Result<usize, FieldError> {
    if !size.value().is_array() {
        return size.usize(patch..=8192);
    }
    let [height, width] = size.list_of()?;
    let side = height.usize(patch..=8192)?;
    if width.usize(patch..=8192)? == side { Ok(side) } else { Err(size.unsupported("a square")) }
}

fn activation(family: &Family, args: &Fields<'_>) -> Result<Function, FieldError> {
    let named = args.optional("act_layer", |name| name.one_of(&["gelu", "gelu_tanh"]))?;
    Ok(match named {
        None => family.activation,
        Some("gelu_tanh") => Function::GeluTanh,
        Some(_) => Function::GeluErf,
    })
}

/// How rows become one, and the norm of that one if it takes the place of all rows' norm.
fn pooling(
    family: &Family,
    args: &Fields<'_>,
    trained: &Fields<'_>,
    vit: &VitConfig,
) -> Result<(Pooling, Option<&'static str>), FieldError> {
    let known = ["token", "avg", "map", ""];
    let own = match family.pool {
        Pool::Token => trained.optional("global_pool", |pool| pool.one_of(&known))?.unwrap_or("token"),
        Pool::Map => "map",
        Pool::Mean | Pool::MeanThenNorm => "avg",
    };
    let pool = args.optional("global_pool", |pool| pool.one_of(&known))?;
    // An argument changes one or the other: the family's choice of norm stands beside another pooling.
    let norm = (family.pool == Pool::Mean).then_some(false);
    let norm = args.optional("fc_norm", |norm| norm.bool())?.or(norm);
    let pool = pool.unwrap_or(own);
    let pooling = match pool {
        "token" if !vit.prefix.class => {
            return Err(args.invalid("global_pool", "token", "another, where there is no class token"));
        }
        "token" => Pooling::Class,
        "avg" => Pooling::Mean,
        "map" => Pooling::Attention(TIMM_POOL),
        _ => Pooling::None,
    };
    Ok((pooling, norm.unwrap_or(pool == "avg").then_some("fc_norm")))
}

/// The head and its labels; a checkpoint without classes has none.
fn head(
    fields: &Fields<'_>,
    trained: &Fields<'_>,
    args: &Fields<'_>,
) -> Result<Option<(&'static str, Labels)>, FieldError> {
    let count = |fields: &Fields<'_>| fields.optional("num_classes", |count| count.usize(0..=1 << 20));
    let classes = match (count(args)?, count(fields)?) {
        (Some(classes), _) | (None, Some(classes)) => classes,
        (None, None) => count(trained)?.unwrap_or(1000),
    };
    if classes == 0 {
        return Ok(None);
    }
    let listed = [fields, trained].into_iter().find_map(|fields| fields.non_null("label_names"));
    let names = match listed {
        None => (0..classes).map(|n| n.to_string()).collect(),
        Some(field) => {
            let names = listed_labels(&field)?;
            if names.len() != classes {
                let expected = format!("{classes} names (num_classes)");
                return Err(field.invalid(expected));
            }
            names
        }
    };
    Ok(Some(("head", Labels { names, multi_label: false })))
}
