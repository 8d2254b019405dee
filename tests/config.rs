//! `config.json` of hub checkpoints: what is left out has transformers' default, and what this version does not run is
//! refused by name.

use ocelli::base::{ErrorKind, FieldError, Fields, LayerError};
use ocelli::models::paligemma::PaliGemmaConfig;
use serde_json::{Value, json};

/// A configuration as the hub's PaliGemma 3B checkpoints have it: much is left out.
fn hub() -> Value {
    json!({
        "architectures": ["PaliGemmaForConditionalGeneration"],
        "bos_token_id": 2,
        "eos_token_id": 1,
        "hidden_size": 2048,
        "image_token_index": 257_152,
        "model_type": "paligemma",
        "pad_token_id": 0,
        "projection_dim": 2048,
        "text_config": {
            "hidden_size": 2048,
            "intermediate_size": 16_384,
            "model_type": "gemma",
            "num_attention_heads": 8,
            "num_hidden_layers": 18,
            "num_image_tokens": 256,
            "num_key_value_heads": 1,
            "vocab_size": 257_216
        },
        "vision_config": {
            "hidden_size": 1152,
            "intermediate_size": 4304,
            "model_type": "siglip_vision_model",
            "num_attention_heads": 16,
            "num_hidden_layers": 27,
            "num_image_tokens": 256,
            "patch_size": 14,
            "projection_dim": 2048,
            "vision_use_head": false
        }
    })
}

/// The configuration with one field set, named by its JSON pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut config = hub();
    let (section, field) = pointer.rsplit_once('/').expect("a pointer has a slash");
    config.pointer_mut(section).expect("the section is there")[field] = value;
    config
}

/// The configuration without one field.
fn without(pointer: &str) -> Value {
    let mut config = hub();
    let (section, field) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let fields = config.pointer_mut(section).and_then(Value::as_object_mut).expect("the section is there");
    fields.remove(field).expect("the field is there");
    config
}

/// PaliGemma 2 3B as it may come: of Gemma 2's numbers only those that are not its defaults.
fn hub2() -> Value {
    let text = json!({ "model_type": "gemma2", "num_image_tokens": 256, "vocab_size": 257_216 });
    with("/text_config", text)
}

#[test]
fn a_hub_configuration_is_read() {
    let config = PaliGemmaConfig::from_hf(&hub()).expect("it is a PaliGemma's");
    let (t, v) = (config.decoder, config.vision);
    assert_eq!((t.width, t.layers, t.heads, t.kv_heads, t.head_dim, t.mlp), (2048, 18, 8, 1, 256, 16_384));
    assert_eq!((t.vocabulary, t.max_positions, t.eps, t.rope_theta), (257_216, 8192, 1e-6, 10_000.0));
    assert_eq!((t.query_scale, t.attention_softcap, t.final_softcap, t.post_norms), (1.0 / 16.0, None, None, false));
    assert_eq!(t.windows, vec![None; 18]);
    let e = &v.encoder;
    assert_eq!((e.width, e.layers, e.heads, e.mlp, v.image_size, v.patch, e.eps), (1152, 27, 16, 4304, 224, 14, 1e-6));
    assert_eq!((config.image_token, config.bos_token, config.eos_tokens), (257_152, 2, vec![1]));
}

#[test]
fn what_a_gemma_2_leaves_out_has_transformers_default() {
    let t = PaliGemmaConfig::from_hf(&hub2()).expect("it is a PaliGemma 2's").decoder;
    assert_eq!((t.width, t.layers, t.heads, t.kv_heads, t.head_dim, t.mlp), (2304, 26, 8, 4, 256, 9216));
    assert_eq!((t.query_scale, t.attention_softcap, t.final_softcap), (1.0 / 16.0, Some(50.0), Some(30.0)));
    assert!(t.post_norms);
    let windows: Vec<_> = (0..26).map(|layer| (layer % 2 == 0).then_some(4096)).collect();
    assert_eq!(t.windows, windows);
}

#[test]
fn what_a_gemma_1_and_a_tower_leave_out_has_transformers_default() {
    let bare = with("/text_config", json!({}));
    let t = PaliGemmaConfig::from_hf(&bare).expect("defaults make a model").decoder;
    assert_eq!((t.width, t.layers, t.heads, t.kv_heads, t.head_dim, t.mlp), (3072, 28, 16, 16, 256, 24_576));
    assert_eq!((t.vocabulary, t.post_norms), (256_000, false));
    let bare = with("/vision_config", json!({}));
    let v = PaliGemmaConfig::from_hf(&bare).expect("defaults make a model").vision;
    let e = &v.encoder;
    assert_eq!((e.width, e.layers, e.heads, e.mlp, v.image_size, v.patch), (768, 12, 12, 3072, 224, 16));
}

#[test]
fn null_and_absent_differ_where_transformers_tells_them_apart() {
    let null = json!({
        "model_type": "gemma2", "vocab_size": 257_216,
        "attn_logit_softcapping": null, "final_logit_softcapping": null, "sliding_window": null
    });
    let t = PaliGemmaConfig::from_hf(&with("/text_config", null)).expect("it is a PaliGemma 2's").decoder;
    assert_eq!((t.attention_softcap, t.final_softcap), (None, None));
    assert!(t.windows.iter().all(Option::is_none));
}

#[test]
fn rotary_frequencies_of_either_spelling_are_read() {
    for (field, value) in [
        ("/text_config/rope_theta", json!(5000.0)),
        ("/text_config/rope_parameters", json!({ "rope_type": "default", "rope_theta": 5000.0 })),
    ] {
        let config = PaliGemmaConfig::from_hf(&with(field, value)).expect("it is a PaliGemma's");
        assert_eq!(config.decoder.rope_theta, 5000.0, "{field}");
    }
    for unscaled in [Value::Null, json!({ "type": "default" })] {
        PaliGemmaConfig::from_hf(&with("/text_config/rope_scaling", unscaled)).expect("nothing is scaled");
    }
}

#[test]
fn an_activation_that_both_fields_name_is_taken_from_the_older_one() {
    let mut config = with("/text_config/hidden_act", json!("gelu"));
    config["text_config"]["hidden_activation"] = json!("gelu_pytorch_tanh");
    PaliGemmaConfig::from_hf(&config).expect("transformers 4 ignores hidden_act here");
    let mut second = hub2();
    second["text_config"]["hidden_act"] = json!("gelu");
    PaliGemmaConfig::from_hf(&second).expect("Gemma 2 has no hidden_act");
}

#[test]
fn what_changes_results_and_is_not_run_is_refused() {
    let types = json!(vec!["chunked_attention"; 18]);
    for (field, value, message) in [
        ("/model_type", json!("llava"), "model_type is \"llava\", expected paligemma"),
        (
            "/architectures",
            json!(["ColPaliForRetrieval"]),
            "architectures[0] is \"ColPaliForRetrieval\", expected PaliGemmaForConditionalGeneration or PaliGemmaModel",
        ),
        ("/text_config/model_type", json!("gemma3"), "text_config.model_type is \"gemma3\", expected gemma or gemma2"),
        ("/text_config/hidden_act", json!("gelu"), "text_config.hidden_act is \"gelu\", expected gelu_pytorch_tanh"),
        (
            "/text_config/hidden_activation",
            json!("silu"),
            "text_config.hidden_activation is \"silu\", expected gelu_pytorch_tanh",
        ),
        ("/text_config/attention_bias", json!(true), "text_config.attention_bias is true, expected false"),
        (
            "/text_config/use_bidirectional_attention",
            json!(false),
            "text_config.use_bidirectional_attention is false, expected true",
        ),
        (
            "/text_config/rope_scaling",
            json!({ "rope_type": "linear", "factor": 2.0 }),
            "text_config.rope_scaling.rope_type is \"linear\", expected default",
        ),
        (
            "/text_config/rope_parameters",
            json!({ "full_attention": { "rope_theta": 10_000.0 } }),
            "text_config.rope_parameters.full_attention is {\"rope_theta\":10000.0}, \
             expected no field but rope_type, type, rope_theta",
        ),
        (
            "/text_config/layer_types",
            types,
            "text_config.layer_types[0] is \"chunked_attention\", expected sliding_attention or full_attention",
        ),
        (
            "/vision_config/model_type",
            json!("clip_vision_model"),
            "vision_config.model_type is \"clip_vision_model\", expected siglip_vision_model",
        ),
        (
            "/vision_config/hidden_act",
            json!("quick_gelu"),
            "vision_config.hidden_act is \"quick_gelu\", expected gelu_pytorch_tanh or gelu_new or gelu_fast or gelu or relu or silu",
        ),
    ] {
        let fault = PaliGemmaConfig::from_hf(&with(field, value)).expect_err(field);
        assert_eq!(fault.to_string(), format!("config.json: {message}"));
        assert_eq!(fault.kind(), ErrorKind::Unsupported, "{field}");
        assert_eq!(fault.remedy().to_string(), "Use a PaliGemma or PaliGemma 2 checkpoint.");
    }
}

#[test]
fn numbers_that_make_no_model_are_refused() {
    for (field, value, message) in [
        (
            "/image_token_index",
            json!(1u64 << 31),
            "image_token_index is 2147483648, expected a token's id, a whole number below 2^31",
        ),
        ("/text_config/hidden_size", json!(2), "text_config.hidden_size is 2, expected a whole number from 4 to 65536"),
        (
            "/text_config/num_hidden_layers",
            json!(0),
            "text_config.num_hidden_layers is 0, expected a whole number from 1 to 1024",
        ),
        (
            "/text_config/intermediate_size",
            json!(1),
            "text_config.intermediate_size is 1, expected a whole number from 4 to 1048576",
        ),
        (
            "/text_config/vocab_size",
            json!(3),
            "text_config.vocab_size is 3, expected a whole number from 4 to 16777216",
        ),
        (
            "/text_config/num_attention_heads",
            json!(0),
            "text_config.num_attention_heads is 0, expected a whole number from 1 to 1024",
        ),
        ("/text_config/num_key_value_heads", json!(3), "text_config.num_key_value_heads is 3, expected a divisor of 8"),
        ("/text_config/head_dim", json!(0), "text_config.head_dim is 0, expected a multiple of 4 up to 256"),
        (
            "/text_config/max_position_embeddings",
            json!(0),
            "text_config.max_position_embeddings is 0, expected a whole number from 1 to 16777216",
        ),
        ("/text_config/rms_norm_eps", json!(-1.0), "text_config.rms_norm_eps is -1.0, expected a positive number"),
        ("/text_config/rope_theta", json!(0.0), "text_config.rope_theta is 0.0, expected a positive number"),
        (
            "/text_config/layer_types",
            json!(["full_attention"]),
            "text_config.layer_types is a list of 1, expected a list of 18 (num_hidden_layers)",
        ),
        ("/vision_config/num_channels", json!(1), "vision_config.num_channels is 1, expected 3"),
        ("/vision_config/patch_size", json!(0), "vision_config.patch_size is 0, expected a whole number from 1 to 256"),
        (
            "/vision_config/image_size",
            json!(13),
            "vision_config.image_size is 13, expected a whole number from 14 to 8192",
        ),
        (
            "/vision_config/num_attention_heads",
            json!(7),
            "vision_config.num_attention_heads is 7, expected a divisor of 1152",
        ),
        (
            "/vision_config/layer_norm_eps",
            json!(0.0),
            "vision_config.layer_norm_eps is 0.0, expected a positive number",
        ),
    ] {
        let fault = PaliGemmaConfig::from_hf(&with(field, value)).expect_err(field);
        assert_eq!(fault.to_string(), format!("config.json: {message}"));
        assert_eq!(fault.kind(), ErrorKind::BadConfig, "{field}");
        assert_eq!(fault.remedy().to_string(), "Check that config.json is the one that came with this checkpoint.");
    }
    for field in ["query_pre_attn_scalar", "attn_logit_softcapping", "final_logit_softcapping", "sliding_window"] {
        let mut config = hub2();
        config["text_config"][field] = json!(0);
        let fault = PaliGemmaConfig::from_hf(&config).expect_err(field);
        assert!(fault.to_string().contains(&format!("text_config.{field} is 0, expected ")), "{fault}");
    }
}

#[test]
fn head_sizes_without_kernels_are_unsupported() {
    for (field, value, place) in [
        ("/text_config/head_dim", 66, "text_config.head_dim is 66"),
        ("/text_config/head_dim", 260, "text_config.head_dim is 260"),
        ("/vision_config/num_attention_heads", 64, "vision_config.hidden_size / num_attention_heads is 18"),
        ("/vision_config/num_attention_heads", 4, "vision_config.hidden_size / num_attention_heads is 288"),
    ] {
        let fault = PaliGemmaConfig::from_hf(&with(field, json!(value))).expect_err(field);
        assert_eq!(fault.kind(), ErrorKind::Unsupported, "{fault}");
        assert_eq!(fault.to_string(), format!("config.json: {place}, expected a multiple of 4 up to 256"));
        let remedy = "Use a checkpoint whose head size is a multiple of 4 up to 256.";
        assert_eq!(fault.remedy().to_string(), remedy);
    }
}

/// Every field that is read, with what it is said to be instead of each value of a wrong kind.
#[test]
fn fields_of_another_type_are_refused_by_name() {
    let numbers = [json!("big"), json!(-4), json!(2.5), json!(1e300), Value::Null, json!([8]), json!({}), json!(true)];
    let whole = |from: usize, to: usize| format!("a whole number from {from} to {to}");
    for (field, expected) in [
        ("text_config.hidden_size", whole(4, 1 << 16)),
        ("text_config.num_hidden_layers", whole(1, 1024)),
        ("text_config.intermediate_size", whole(4, 1 << 20)),
        ("text_config.vocab_size", whole(4, 1 << 24)),
        ("text_config.num_attention_heads", whole(1, 1024)),
        ("text_config.num_key_value_heads", "a divisor of 8".into()),
        ("text_config.head_dim", "a multiple of 4 up to 256".into()),
        ("text_config.max_position_embeddings", whole(1, 1 << 24)),
        ("vision_config.hidden_size", whole(4, 1 << 16)),
        ("vision_config.num_hidden_layers", whole(1, 1024)),
        ("vision_config.intermediate_size", whole(4, 1 << 20)),
        ("vision_config.patch_size", whole(1, 256)),
        ("vision_config.image_size", whole(14, 8192)),
        ("vision_config.num_attention_heads", "a divisor of 1152".into()),
        ("vision_config.num_channels", "3".into()),
    ] {
        refuses(&hub(), field, &numbers, &expected);
    }
    for field in ["sliding_window", "query_pre_attn_scalar", "attn_logit_softcapping", "final_logit_softcapping"] {
        let wrong = [json!("big"), json!(-4), json!([8]), json!({}), json!(true)];
        let expected = if field == "sliding_window" { whole(1, 1 << 24) } else { "a positive number".into() };
        refuses(&hub2(), &format!("text_config.{field}"), &wrong, &expected);
    }
    for field in ["text_config.rms_norm_eps", "text_config.rope_theta", "vision_config.layer_norm_eps"] {
        let wrong = [json!("big"), json!(-4), json!(-2.5), Value::Null, json!([8]), json!({}), json!(true)];
        refuses(&hub(), field, &wrong, "a positive number");
        refuses(&hub(), field, &[json!(1e300), json!(1e-300)], "a positive number that fits in 32 bits");
    }
    let scaled = with("/text_config/rope_parameters", json!({}));
    refuses(&scaled, "text_config.rope_parameters.rope_theta", &[json!("big"), Value::Null], "a positive number");
    let texts = [json!(3), json!(-4), json!(2.5), json!(1e300), Value::Null, json!(["gelu"]), json!({}), json!(true)];
    for (field, expected) in [
        ("model_type", "paligemma"),
        ("text_config.model_type", "gemma or gemma2"),
        ("vision_config.model_type", "siglip_vision_model"),
        ("vision_config.hidden_act", "gelu_pytorch_tanh or gelu_new or gelu_fast or gelu or relu or silu"),
    ] {
        refuses(&hub(), field, &texts, expected);
    }
    for field in ["text_config.hidden_act", "text_config.hidden_activation"] {
        refuses(&hub(), field, &[json!(3), json!(["gelu"]), json!({})], "gelu_pytorch_tanh");
    }
    for field in ["text_config.attention_bias", "text_config.use_bidirectional_attention"] {
        refuses(&hub(), field, &[json!("true"), json!(1), json!([true]), json!({})], "true or false");
    }
    let objects = [json!("big"), json!(-4), json!(2.5), json!([8]), json!(true)];
    for field in ["text_config", "vision_config", "text_config.rope_scaling", "text_config.rope_parameters"] {
        refuses(&hub(), field, &objects, "an object");
    }
    refuses(&hub(), "text_config", &[Value::Null], "an object");
    for field in ["architectures", "text_config.layer_types"] {
        refuses(&hub(), field, &[json!("big"), json!(4), json!({}), json!(true)], "a list");
    }
    let id = "a token's id, a whole number below 2^31";
    for field in ["bos_token_id", "image_token_index", "image_token_id"] {
        refuses(&hub(), field, &[json!("big"), json!(-4), json!(2.5), json!(1e300), json!([2]), json!({})], id);
    }
    refuses(&hub(), "eos_token_id", &[json!(-4), json!(2.5), json!(1e300), json!(1u64 << 31)], id);
    refuses(&hub(), "eos_token_id", &[json!("big"), json!({}), json!(true)], "a token's id or a list of them");
    let wrong = [json!("big"), json!(1e300), json!([8]), json!({}), json!(true)];
    refuses(&hub(), "even_box_logprob", &wrong, "a number that fits in 32 bits");
}

/// Fails unless a configuration is refused with each value in a field, and the error says file, field, value and need.
fn refuses(config: &Value, field: &str, values: &[Value], expected: &str) {
    let (section, name) = field.rsplit_once('.').unwrap_or(("", field));
    let section = if section.is_empty() { String::new() } else { format!("/{}", section.replace('.', "/")) };
    for value in values {
        let mut config = config.clone();
        config.pointer_mut(&section).expect("the section is there")[name] = value.clone();
        let fault = PaliGemmaConfig::from_hf(&config).expect_err(field);
        assert_eq!(fault.to_string(), format!("config.json: {field} is {value}, expected {expected}"));
        assert_eq!(fault.kind(), ErrorKind::BadConfig, "{fault}");
    }
}

#[test]
fn entries_of_lists_are_named() {
    for (field, value, message) in [
        (
            "/eos_token_id",
            json!([1, "two"]),
            "eos_token_id[1] is \"two\", expected a token's id, a whole number below 2^31",
        ),
        (
            "/architectures",
            json!([7]),
            "architectures[0] is 7, expected PaliGemmaForConditionalGeneration or PaliGemmaModel",
        ),
        (
            "/text_config/layer_types",
            json!(vec![Value::Null; 18]),
            "text_config.layer_types[0] is null, expected sliding_attention or full_attention",
        ),
    ] {
        let fault = PaliGemmaConfig::from_hf(&with(field, value)).expect_err(field);
        assert_eq!(fault.to_string(), format!("config.json: {message}"));
        assert_eq!(fault.kind(), ErrorKind::BadConfig);
    }
}

#[test]
fn what_must_be_there_is_missed_by_name() {
    for (config, message) in [
        (without("/text_config"), ": text_config is missing, expected an object"),
        (without("/vision_config"), ": vision_config is missing, expected an object"),
        (without("/model_type"), ": model_type is missing, expected paligemma"),
        (json!([]), " is [], expected an object"),
    ] {
        let fault = PaliGemmaConfig::from_hf(&config).expect_err(message);
        assert_eq!(fault.to_string(), format!("config.json{message}"));
        assert_eq!(fault.kind(), ErrorKind::BadConfig);
    }
    let few = json!({ "num_attention_heads": 8 });
    let fault = PaliGemmaConfig::from_hf(&with("/text_config", few)).expect_err("the default does not divide it");
    let message = "text_config.num_key_value_heads is missing, which means 16, expected a divisor of 8";
    assert_eq!(fault.to_string(), format!("config.json: {message}"));
}

#[test]
fn null_is_as_good_as_absence_where_transformers_writes_it() {
    for field in [
        "/architectures",
        "/eos_token_id",
        "/bos_token_id",
        "/even_box_logprob",
        "/text_config/hidden_act",
        "/text_config/hidden_activation",
        "/text_config/use_bidirectional_attention",
        "/text_config/rope_scaling",
        "/text_config/layer_types",
    ] {
        let read = PaliGemmaConfig::from_hf(&with(field, Value::Null)).expect(field);
        assert_eq!(read, PaliGemmaConfig::from_hf(&hub()).expect("it is a PaliGemma's"), "{field}");
    }
}

#[test]
fn two_names_of_the_image_token_must_agree() {
    let mut config = with("/image_token_id", json!(257_152));
    PaliGemmaConfig::from_hf(&config).expect("they agree");
    config["image_token_id"] = json!(5);
    let fault = PaliGemmaConfig::from_hf(&config).expect_err("they do not");
    assert_eq!(fault.to_string(), "config.json: image_token_id is 5, expected 257152, as image_token_index is");
    let named = without("/image_token_index");
    assert_eq!(PaliGemmaConfig::from_hf(&named).expect("it has a default").image_token, 257_152);
}

#[test]
fn the_kind_of_model_is_told_before_its_fields() {
    let known = "expected paligemma, siglip, siglip2, siglip_vision_model, siglip2_vision_model, siglip_text_model, \
                 siglip2_text_model, vit, or timm's architecture of a vit";
    for (config, kind, message) in [
        (json!({ "model_type": "llava" }), ErrorKind::Unsupported, format!(": model_type is \"llava\", {known}")),
        (json!({ "model_type": 5 }), ErrorKind::Unsupported, format!(": model_type is 5, {known}")),
        (json!({}), ErrorKind::Unsupported, format!(": model_type is missing, {known}")),
        (json!("llava"), ErrorKind::BadConfig, " is \"llava\", expected an object".into()),
    ] {
        let Err(error) = ocelli::models::open(&config) else { panic!("{config} is no model") };
        assert_eq!(error.to_string(), format!("config.json{message}"));
        assert_eq!(error.kind(), kind);
    }
}

#[test]
fn a_field_without_a_default_must_be_there() {
    let json = json!({ "inner": {} });
    let inner = Fields::of("model.json", &json).and_then(|fields| fields.object("inner")).expect("an object");
    for (fault, expected) in [
        (inner.usize("field", None, 1..=8).err(), "a whole number from 1 to 8"),
        (inner.divisor("field", None, 12).err(), "a divisor of 12"),
        (inner.positive("field", None).err(), "a positive number"),
        (inner.bool("field", None).err(), "true or false"),
        (inner.one_of("field", None, &["map", "avg"]).err(), "map or avg"),
        (inner.object("field").err(), "an object"),
        (inner.required("field", "a text").err(), "a text"),
    ] {
        let said = fault.as_ref().map(FieldError::to_string);
        assert_eq!(said, Some(format!("model.json: inner.field is missing, expected {expected}")));
    }
}

#[test]
fn every_kind_of_field_is_read() {
    let json = json!({
        "layers": 2, "heads": 4, "eps": 1e-6, "on": false, "pooling": "avg", "name": "vit", "inner": { "x": -1.5 },
        "size": [3, 224, 224], "eos": 7, "none": null
    });
    let fields = Fields::of("model.json", &json).expect("an object");
    assert_eq!(fields.usize("layers", None, 1..=8), Ok(2));
    assert_eq!(fields.divisor("heads", None, 12), Ok(4));
    assert_eq!(fields.positive("eps", None), Ok(1e-6));
    assert_eq!(fields.bool("on", true), Ok(false));
    assert_eq!(fields.one_of("pooling", "map", &["map", "avg"]), Ok("avg"));
    assert_eq!(fields.get("name").map(|name| name.string()), Some(Ok("vit")));
    let x = fields.object("inner").and_then(|inner| inner.optional("x", |x| x.number()));
    assert_eq!(x, Ok(Some(-1.5)));
    let size = fields.required("size", "a list of 3").and_then(|size| size.list_of::<3>()).expect("three");
    assert_eq!(size.map(|side| side.usize(1..=8192)), [Ok(3), Ok(224), Ok(224)]);
    assert_eq!(fields.optional("eos", |ids| ids.ids()), Ok(Some(vec![7])));
    assert_eq!(fields.nullable("none", Some(1.0), |cap| cap.positive()), Ok(None));
    assert_eq!(fields.nullable("absent", Some(1.0), |cap| cap.positive()), Ok(Some(1.0)));
    assert_eq!((fields.usize("absent", 3, 1..=8), fields.bool("absent", true)), (Ok(3), Ok(true)));
    assert!(fields.get("none").is_some() && fields.non_null("none").is_none());
    let fault = fields.required("name", "").and_then(|name| name.list_of::<3>()).expect_err("no list");
    assert_eq!(fault.to_string(), "model.json: name is \"vit\", expected a list of 3");
}

#[test]
fn an_error_repeats_no_more_than_the_beginning_of_a_long_value() {
    let json = json!({ "name": "ö".repeat(1000) });
    let fields = Fields::of("model.json", &json).expect("an object");
    let fault = fields.usize("name", None, 1..=8).expect_err("no number").to_string();
    assert_eq!(fault, format!("model.json: name is \"{}…, expected a whole number from 1 to 8", "ö".repeat(39)));
}
