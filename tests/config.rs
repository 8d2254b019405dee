//! `config.json` of hub checkpoints: what is left out has transformers' default, and what this version does not run is
//! refused by name.

use ocelli::base::{ErrorKind, Fault};
use ocelli::models::paligemma::{ConfigFault, PaliGemmaConfig};
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
    assert_eq!((v.width, v.layers, v.heads, v.mlp, v.image_size, v.patch, v.eps), (1152, 27, 16, 4304, 224, 14, 1e-6));
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
    assert_eq!((v.width, v.layers, v.heads, v.mlp, v.image_size, v.patch), (768, 12, 12, 3072, 224, 16));
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
    let linear = json!({ "rope_type": "linear", "factor": 2.0 });
    let tables = json!({ "full_attention": { "rope_theta": 10_000.0 } });
    let types = json!(vec!["chunked_attention"; 18]);
    let said = |json: &Value| json.to_string();
    for (field, value, message) in [
        ("/model_type", json!("llava"), "model_type is \"llava\", expected paligemma"),
        (
            "/architectures",
            json!(["ColPaliForRetrieval"]),
            "architectures is \"ColPaliForRetrieval\", expected PaliGemmaForConditionalGeneration",
        ),
        ("/text_config/model_type", json!("gemma3"), "text_config.model_type is \"gemma3\", expected gemma or gemma2"),
        ("/text_config/hidden_act", json!("gelu"), "text_config.hidden_act is \"gelu\", expected gelu_pytorch_tanh"),
        (
            "/text_config/hidden_activation",
            json!("silu"),
            "text_config.hidden_activation is \"silu\", expected gelu_pytorch_tanh",
        ),
        ("/text_config/attention_bias", json!(true), "text_config.attention_bias is \"true\", expected false"),
        (
            "/text_config/use_bidirectional_attention",
            json!(false),
            "text_config.use_bidirectional_attention is \"false\", expected true",
        ),
        (
            "/text_config/rope_scaling",
            linear.clone(),
            &format!("text_config.rope_scaling is {:?}, expected rope_type \"default\"", said(&linear)),
        ),
        (
            "/text_config/rope_parameters",
            tables.clone(),
            &format!("text_config.rope_parameters is {:?}, expected rope_type \"default\"", said(&tables)),
        ),
        (
            "/text_config/layer_types",
            types,
            "text_config.layer_types is \"chunked_attention\", expected sliding_attention or full_attention",
        ),
        (
            "/vision_config/model_type",
            json!("clip_vision_model"),
            "vision_config.model_type is \"clip_vision_model\", expected siglip_vision_model",
        ),
        (
            "/vision_config/hidden_act",
            json!("quick_gelu"),
            "vision_config.hidden_act is \"quick_gelu\", expected gelu_pytorch_tanh",
        ),
    ] {
        let fault = PaliGemmaConfig::from_hf(&with(field, value)).expect_err(field);
        assert!(matches!(fault, ConfigFault::Unsupported { .. }), "{field}: {fault:?}");
        assert_eq!(fault.to_string(), format!("config.json: {message}"));
        assert_eq!(fault.kind(), ErrorKind::Unsupported, "{field}");
        assert_eq!(fault.remedy().to_string(), "Use a PaliGemma or PaliGemma 2 checkpoint.");
    }
}

#[test]
fn numbers_that_make_no_model_are_refused() {
    for (field, value, message) in [
        ("/image_token_index", json!(1u64 << 31), "image_token_index is 2147483648, expected less than 2^31"),
        ("/text_config/hidden_size", json!(2), "text_config.hidden_size is 2, expected 4 to 65536"),
        ("/text_config/num_hidden_layers", json!(0), "text_config.num_hidden_layers is 0, expected 1 to 1024"),
        ("/text_config/intermediate_size", json!(1), "text_config.intermediate_size is 1, expected 4 to 1048576"),
        ("/text_config/vocab_size", json!(3), "text_config.vocab_size is 3, expected 4 to 16777216"),
        ("/text_config/num_attention_heads", json!(0), "text_config.num_attention_heads is 0, expected 1 to 1024"),
        ("/text_config/num_key_value_heads", json!(3), "text_config.num_key_value_heads is 3, expected a divisor of 8"),
        ("/text_config/head_dim", json!(0), "text_config.head_dim is 0, expected a multiple of 4 up to 256"),
        (
            "/text_config/max_position_embeddings",
            json!(0),
            "text_config.max_position_embeddings is 0, expected 1 to 16777216",
        ),
        ("/text_config/rms_norm_eps", json!(-1.0), "text_config.rms_norm_eps is -1, expected a positive number"),
        ("/text_config/rope_theta", json!(0.0), "text_config.rope_theta is 0, expected a positive number"),
        (
            "/text_config/layer_types",
            json!(["full_attention"]),
            "length of text_config.layer_types is 1, expected 18 (num_hidden_layers)",
        ),
        ("/vision_config/num_channels", json!(1), "vision_config.num_channels is 1, expected 3"),
        ("/vision_config/patch_size", json!(0), "vision_config.patch_size is 0, expected 1 to 256"),
        ("/vision_config/image_size", json!(13), "vision_config.image_size is 13, expected 14 to 8192"),
        (
            "/vision_config/num_attention_heads",
            json!(7),
            "vision_config.num_attention_heads is 7, expected a divisor of 1152",
        ),
        ("/vision_config/layer_norm_eps", json!(0.0), "vision_config.layer_norm_eps is 0, expected a positive number"),
    ] {
        let fault = PaliGemmaConfig::from_hf(&with(field, value)).expect_err(field);
        assert!(matches!(fault, ConfigFault::OutOfRange { .. }), "{field}: {fault:?}");
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
        let supported = "heads of a multiple of 4 up to 256 are supported";
        assert_eq!(fault.to_string(), format!("config.json: {place}; {supported}"));
        let remedy = "Use a checkpoint whose head size is a multiple of 4, at most 256.";
        assert_eq!(fault.remedy().to_string(), remedy);
    }
}

#[test]
fn fields_of_another_type_are_refused() {
    for (config, message) in [
        (with("/text_config/hidden_size", json!("wide")), "invalid type: string \"wide\", expected usize"),
        (with("/text_config/hidden_size", json!(-4)), "invalid value: integer `-4`, expected usize"),
        (without("/text_config"), "missing field `text_config`"),
        (without("/vision_config"), "missing field `vision_config`"),
    ] {
        let fault = PaliGemmaConfig::from_hf(&config).expect_err(message);
        assert!(matches!(fault, ConfigFault::Json(_)), "{fault:?}");
        assert_eq!(fault.to_string(), format!("config.json: {message}"));
        assert_eq!(fault.kind(), ErrorKind::BadConfig);
    }
    let missing = PaliGemmaConfig::from_hf(&json!([])).expect_err("a list is no configuration");
    assert_eq!(missing.to_string(), "config.json: model_type is \"missing\", expected paligemma");
}
