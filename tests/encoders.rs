//! SigLIP and ViT: what their configurations say and leave out, and which checkpoints are refused.

#[path = "common/root.rs"]
mod root;

use std::path::PathBuf;

use ocelli::base::{Error, ErrorKind};
use ocelli::format::{Checkpoint, Directory, ModelFiles, read_json};
use ocelli::kernels::Function;
use ocelli::models::blocks::Pooling;
use ocelli::models::siglip::SiglipConfig;
use ocelli::models::vit::{FAMILIES, Vit};
use ocelli::models::{self, Architecture, ImageSize, ImagesOutput, ImagesPass, Pass};
use ocelli::session::{CpuPlayer, Player, Session, SessionOptions};
use ocelli::tensor::Dtype;
use pollster::block_on;
use root::root;
use serde_json::{Value, json};

fn folder(checkpoint: &str) -> PathBuf {
    root().join("tests/goldens").join(checkpoint)
}

fn config(checkpoint: &str) -> Value {
    let files = Directory::open(folder(checkpoint)).expect("the checkpoint is there");
    read_json(&files, "config.json").expect("it is JSON")
}

fn refused(config: &Value) -> Error {
    match models::open(config) {
        Ok(_) => panic!("{config} is refused"),
        Err(error) => error,
    }
}

#[test]
fn what_a_siglip_leaves_out_has_transformers_default() {
    let config = SiglipConfig::from_hf(&json!({"model_type": "siglip"})).expect("defaults make a model");
    let (image, text) = (config.image.expect("it sees"), config.text.expect("it reads"));
    let e = &image.vit.encoder;
    assert_eq!((e.width, e.layers, e.heads, e.mlp, e.eps), (768, 12, 12, 3072, 1e-6));
    assert_eq!((image.vit.image_size, image.vit.patch, e.activation), (224, 16, Function::GeluTanh));
    assert!(matches!(image.pooling, Pooling::Attention(_)) && image.head.is_none() && image.budget.is_none());
    assert_eq!((text.vocabulary, text.length, text.embedding), (32_000, 64, 768));
    // Its towers are as large as the widest is said to be, and no other field follows from one.
    let config = json!({"model_type": "siglip", "text_config": {"hidden_size": 1152, "num_attention_heads": 16}});
    let text = SiglipConfig::from_hf(&config).expect("it is a model").text.expect("it reads");
    assert_eq!((text.encoder.width, text.encoder.mlp, text.embedding), (1152, 3072, 1152));
}

#[test]
fn a_naflex_takes_pictures_of_any_size() {
    let config = SiglipConfig::from_hf(&json!({"model_type": "siglip2"})).expect("defaults make a model");
    let image = config.image.expect("it sees");
    assert_eq!((image.budget, image.vit.side(), image.vit.patch), (Some(256), 16, 16));
    assert_eq!(image.encoder().size, ImageSize::Patches { patch: 16, budget: 256 });
    let odd = json!({"model_type": "siglip2_vision_model", "num_patches": 200});
    assert_eq!(refused(&odd).to_string(), "config.json: num_patches is 200, expected a square number");
}

#[test]
fn towers_alone_and_classifiers_have_what_they_have() {
    for (checkpoint, image, text, labels) in [
        ("siglip-1", true, true, 0),
        ("siglip-vision", true, false, 0),
        ("siglip-vision-headless", true, false, 0),
        ("siglip-text", false, true, 0),
        ("siglip-classifier", true, false, 5),
        ("vit-hf", true, false, 5),
        ("vit-timm-gap", true, false, 11),
    ] {
        let architecture = models::open(&config(checkpoint)).expect("it is known");
        let encoders = architecture.encoders();
        assert_eq!((encoders.image.is_some(), encoders.text.is_some()), (image, text), "{checkpoint}");
        let found = encoders.image.as_ref().and_then(|image| image.labels.as_ref()).map_or(0, |l| l.names.len());
        assert_eq!(found, labels, "{checkpoint}");
        let parts: Vec<&str> = architecture.parts().iter().map(|part| part.name).collect();
        let expected = [image.then_some("image"), text.then_some("text")];
        assert_eq!(parts, expected.into_iter().flatten().collect::<Vec<_>>(), "{checkpoint}");
        assert_eq!(encoders.text.is_some_and(|text| text.similarity), image && text, "{checkpoint}");
    }
    let headless = models::open(&config("siglip-vision-headless")).expect("it is known");
    assert_eq!(headless.encoders().image.expect("it sees").embedding, None);
    let pass = |output| Pass::Images(ImagesPass { count: 1, size: [44; 2], output });
    for output in [ImagesOutput::Embedding, ImagesOutput::Logits] {
        assert!(headless.build(&pass(output)).is_err(), "{output:?}");
    }
    assert!(headless.build(&pass(ImagesOutput::Features)).is_ok());
    // Twice the rows of its table of positions, which would repeat.
    let wide = Pass::Images(ImagesPass { count: 1, size: [44, 88], output: ImagesOutput::Features });
    let error = headless.build(&wide).expect_err("its positions are for a square");
    assert!(error.to_string().contains("the size of a picture is 44 x 88"), "{error}");
    assert!(headless.build(&Pass::Texts { count: 1 }).is_err());
}

#[test]
fn labels_are_named_by_their_numbers() {
    let mut several = config("vit-hf");
    several["problem_type"] = json!("multi_label_classification");
    let labels = |config: &Value| {
        let architecture = models::open(config).expect("it is known");
        architecture.encoders().image.expect("it sees").labels.expect("it has a head")
    };
    assert!(labels(&several).multi_label && !labels(&config("vit-hf")).multi_label);
    several["id2label"] = json!({"0": "a", "2": "b"});
    let error = refused(&several).to_string();
    assert_eq!(error, "config.json: id2label.1 is missing, expected the name of a label");
    several.as_object_mut().expect("an object").remove("id2label");
    assert_eq!(labels(&several).names, ["LABEL_0", "LABEL_1"]);
    assert_eq!(labels(&config("vit-timm-gap")).names[10], "10");
    let mut timm = config("vit-timm-map");
    assert_eq!(labels(&timm).names[10], "thing 10");
    timm["label_names"] = json!(["one"]);
    let error = refused(&timm).to_string();
    assert_eq!(error, "config.json: label_names is [\"one\"], expected 11 names (num_classes)");
}

/// A published configuration by its architecture's name alone.
fn timm(architecture: &str) -> Vit {
    Vit::from_timm(&json!({"architecture": architecture})).unwrap_or_else(|error| panic!("{architecture}: {error}"))
}

#[test]
fn timms_families_have_the_parameters_that_timm_counts() {
    // `sum(p.numel())` of timm 1.0.31 with 1000 classes.
    for (architecture, parameters) in [
        ("vit_tiny_patch16_224", 5_717_416),
        ("vit_small_patch32_384", 22_915_432),
        ("vit_base_patch8_224", 86_576_872),
        ("vit_large_patch14_224", 304_203_752),
        ("vit_base_patch16_gap_224", 86_566_120),
        ("vit_base_patch16_reg4_gap_256", 86_615_272),
        ("vit_base_patch32_siglip_256", 95_321_320),
        ("vit_large_patch16_siglip_512", 317_767_656),
        ("vit_so400m_patch14_siglip_378", 429_378_600),
        ("vit_so400m_patch14_siglip_gap_896", 418_019_032),
        ("vit_so400m_patch16_siglip_gap_256", 413_802_712),
        ("vit_giantopt_patch16_siglip_384", 1_165_196_776),
        ("vit_so150m_patch16_reg4_map_256", 141_481_064),
        ("vit_so150m_patch16_reg4_gap_384", 134_418_280),
        ("vit_so150m2_patch16_reg1_gap_448", 136_498_856),
    ] {
        let vit = timm(architecture);
        let specs = models::weight_specs(&vit, &vit.parts()).expect("its graph can be built");
        let mut found: usize = specs.iter().map(|spec| spec.rows * spec.k).sum();
        // LayerScale is in the weights here.
        let encoder = &vit.tower().vit.encoder;
        found += if encoder.layer_scale { 2 * encoder.layers * encoder.width } else { 0 };
        assert_eq!(found, parameters, "{architecture}");
    }
    assert!(FAMILIES.iter().all(|family| family.sizes.iter().all(|size| {
        let vit = timm(&format!("{}_{size}", family.name));
        vit.tower().vit.image_size == *size
    })));
}

#[test]
fn an_architecture_that_is_not_known_is_refused_with_those_that_are() {
    for name in
        ["vit_so400m_patch14_reg1_tipsv2", "vit_base_patch16_clip_224", "vit_tiny_patch16_256", "resnet50", "vit"]
    {
        let error = refused(&json!({"architecture": name}));
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}");
        let said = error.to_string();
        assert!(said.starts_with(&format!("config.json: architecture is \"{name}\", expected ")), "{said}");
        assert!(said.contains("vit_so400m_patch14_siglip_gap_{224,378,384,448,896}"), "{said}");
    }
    let unknown = refused(&json!({"model_type": "clip"})).to_string();
    assert!(unknown.contains("siglip2_vision_model") && unknown.contains("vit"), "{unknown}");
}

#[test]
fn arguments_of_timm_change_the_architecture_or_are_refused() {
    let open = |args: Value| Vit::from_timm(&json!({"architecture": "vit_tiny_patch16_224", "model_args": args}));
    let vit =
        open(json!({"global_pool": "avg", "init_values": 1e-5, "act_layer": "gelu_tanh", "img_size": [256, 256]}));
    let vit = vit.expect("it is a model");
    let tower = vit.tower();
    assert_eq!((tower.pooling, tower.pooled_norm, tower.vit.image_size), (Pooling::Mean, Some("fc_norm"), 256));
    assert!(tower.vit.encoder.layer_scale && tower.vit.encoder.activation == Function::GeluTanh);
    for (args, says) in [
        (json!({"qk_norm": true}), "model_args.qk_norm is true, expected false"),
        (
            json!({"class_token": false}),
            "model_args.global_pool is token, expected another, where there is no class token",
        ),
        (json!({"num_heads": 5}), "model_args.num_heads is 5, expected a divisor of 192"),
        (json!({"act_layer": "silu"}), "model_args.act_layer is \"silu\", expected gelu or gelu_tanh"),
        (json!({"global_pool": "avgmax"}), "model_args.global_pool is \"avgmax\", expected token or avg or map or "),
        (json!({"img_size": [224, 256]}), "model_args.img_size is [224,256], expected a square"),
        (json!({"mlp_ratio": 1e9}), "embed_dim * mlp_ratio is 192000000000, expected a whole number from 4 to 1048576"),
        (json!({"num_classes": -1}), "model_args.num_classes is -1, expected a whole number from 0 to 65536"),
    ] {
        let said = open(args.clone()).err().unwrap_or_else(|| panic!("{args} is refused")).to_string();
        assert!(said.contains(says), "{said}");
    }
    let unknown = open(json!({"attn_layer": "diff"})).expect_err("it is refused").to_string();
    assert!(unknown.contains("model_args.attn_layer is \"diff\", expected no field but img_size"), "{unknown}");
}

/// Loads a checkpoint by another configuration than its own.
fn load(checkpoint: &str, config: &Value) -> Result<Session, Error> {
    let files = Directory::open(folder(checkpoint))?;
    let files: &dyn ModelFiles = &files;
    let architecture = models::open(config)?;
    let tensors = Checkpoint::open(files, &architecture.checkpoint_rules())?;
    let player = Player::Cpu(Box::new(CpuPlayer::new()));
    let options = SessionOptions { dtype: Dtype::F32, fuse: true };
    block_on(Session::load(player, architecture, &tensors, options, &mut |_| Ok(())))
}

#[test]
fn a_configuration_that_contradicts_the_tensors_is_refused() {
    for (checkpoint, field, value, says) in [
        (
            "siglip-1",
            "/vision_config/num_hidden_layers",
            "1",
            "tensor vision_model.encoder.layers.1.layer_norm1.weight",
        ),
        ("siglip-1", "/vision_config/num_hidden_layers", "3", "no tensor vision_model.encoder.layers.2."),
        ("siglip-1", "/text_config/num_hidden_layers", "2", "tensor text_model.encoder.layers.2.layer_norm1.weight"),
        ("siglip-1", "/text_config/projection_size", "40", "tensor text_model.head.weight has shape [48, 40]"),
        ("siglip-1", "/vision_config/image_size", "56", "embeddings.position_embedding.weight has shape [9, 48]"),
        ("siglip-1", "/model_type", "\"siglip2\"", "vision_config.model_type is \"siglip_vision_model\""),
        ("siglip-vision-headless", "/vision_use_head", "true", "no tensor vision_model.head.probe"),
        ("vit-timm-reg", "/model_args/reg_tokens", "0", "pos_embed has shape [1, 12, 48]"),
        ("vit-timm-reg", "/model_args/fc_norm", "true", "no tensor fc_norm.weight"),
        ("vit-timm-scale", "/model_args/fc_norm", "false", "no tensor norm.weight"),
        ("vit-timm-scale", "/model_args/init_values", "null", "tensor blocks.0.ls1.gamma"),
        ("vit-timm-token", "/model_args/qkv_bias", "false", "tensor blocks.0.attn.qkv.bias"),
        ("vit-timm-noembed", "/model_args/depth", "1", "tensor blocks.1.norm1.weight"),
        ("vit-hf", "/qkv_bias", "false", "tensor layers.0.attention.q_proj.bias"),
        ("vit-hf", "/id2label", "{\"0\": \"one\"}", "tensor classifier.weight has shape [5, 48]"),
    ] {
        let mut config = config(checkpoint);
        let (parent, name) = field.rsplit_once('/').expect("a pointer");
        let object = config.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
        object.insert(name.into(), serde_json::from_str(value).expect("it is JSON"));
        let error = load(checkpoint, &config).err().unwrap_or_else(|| panic!("{checkpoint} {field} is refused"));
        assert!(error.to_string().contains(says), "{checkpoint} {field}: {error}");
    }
}
