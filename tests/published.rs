//! Every published PaliGemma at every published picture size, on the bindings that any WebGPU device has.

use ocelli::graph::{WeightTable, fuse, lower};
use ocelli::kernels::{Capabilities, DeviceClass};
use ocelli::models::{self, Architecture, DecoderPass, Pass, PassOutput};
use ocelli::tensor::Dtype;
use serde_json::json;

/// WebGPU's default `maxStorageBufferBindingSize`.
const BINDING: usize = 128 << 20;
const PROMPT: usize = 16;

/// Sizes of a decoder; its layers are alike, so two stand for all.
struct Size {
    name: &'static str,
    width: usize,
    mlp: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
}

const SIZES: [Size; 4] = [
    Size { name: "paligemma-3b", width: 2048, mlp: 16_384, heads: 8, kv_heads: 1, head_dim: 256 },
    Size { name: "paligemma2-3b", width: 2304, mlp: 9_216, heads: 8, kv_heads: 4, head_dim: 256 },
    Size { name: "paligemma2-10b", width: 3584, mlp: 14_336, heads: 16, kv_heads: 8, head_dim: 256 },
    Size { name: "paligemma2-28b", width: 4608, mlp: 36_864, heads: 32, kv_heads: 16, head_dim: 128 },
];

fn architecture(size: &Size, picture: usize) -> Box<dyn Architecture> {
    let second = size.name.starts_with("paligemma2");
    let json = json!({
        "model_type": "paligemma", "image_token_index": 257_152, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0,
        "hidden_size": size.width, "projection_dim": size.width,
        "text_config": {
            "model_type": if second { "gemma2" } else { "gemma" }, "hidden_size": size.width, "num_hidden_layers": 2,
            "num_attention_heads": size.heads, "num_key_value_heads": size.kv_heads, "head_dim": size.head_dim,
            "intermediate_size": size.mlp, "vocab_size": 257_216,
        },
        "vision_config": {
            "model_type": "siglip_vision_model", "hidden_size": 1152, "num_hidden_layers": 2, "num_attention_heads": 16,
            "intermediate_size": 4304, "image_size": picture, "patch_size": 14,
        },
    });
    models::open(&json).unwrap_or_else(|error| panic!("{} at {picture}: {error}", size.name))
}

fn weights(architecture: &dyn Architecture) -> WeightTable {
    let parts = architecture.parts();
    let needed = parts.iter().filter(|part| part.optional.is_none());
    let specs = models::weight_specs(architecture, needed).expect("the graphs can be built");
    WeightTable::of(&specs, |spec| spec.kept_in(Dtype::Q8), BINDING).expect("the rows fit a binding")
}

#[test]
fn every_pass_fits_every_device() {
    for class in [DeviceClass::Gpu, DeviceClass::Software] {
        let capabilities = Capabilities {
            class,
            shader_f16: false,
            subgroups: None,
            max_binding_bytes: BINDING,
            max_buffer_bytes: 256 << 20,
            max_workgroup_invocations: 256,
            max_workgroup_bytes: 16 << 10,
            max_workgroups: 65_535,
        };
        for (size, picture) in SIZES.iter().flat_map(|size| [224, 448, 896].map(|picture| (size, picture))) {
            let architecture = architecture(size, picture);
            let table = weights(architecture.as_ref());
            let patches = architecture.image().expect("it takes images").tokens;
            let pass = |tokens, feature_rows| {
                let (capacity, output) = (patches + PROMPT + 128, PassOutput::Greedy);
                Pass::Decoder(DecoderPass { sequences: 1, tokens, capacity, slots: 1, feature_rows, output, ids: None })
            };
            for pass in [Pass::EncodeImage, pass(patches + PROMPT, patches), pass(1, 0)] {
                let graph = architecture.build(&pass).expect("the graph can be built");
                let plan = lower(&fuse(graph), &table, &capabilities).expect("its weights are there");
                let recording = plan.recording;
                for buffer in &recording.buffers {
                    let what =
                        format!("{} at {picture} on {class:?}: `{}` of `{}`", size.name, buffer.label, recording.name);
                    assert!(buffer.bytes <= BINDING, "{what} has {} bytes", buffer.bytes);
                }
            }
        }
    }
}
