use serde::Deserialize;
use wasm_bindgen::JsValue;

use crate::session::{DeviceChoice, DeviceOptions, Player, SubgroupSizes};
use crate::tasks::Dtype;

use super::breath::breathe;
use super::error::{BadValue, thrown};
use super::value::from_js;

/// How a model is loaded.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LoadOptions {
    device: String,
    dtype: String,
    max_binding_mib: Option<f64>,
    /// The parts of a pack that come; all where nothing is said.
    parts: Option<Vec<String>>,
    subgroups: Option<Subgroups>,
    #[serde(default)]
    software: bool,
    #[serde(default)]
    as_real_gpu: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subgroups {
    min: u32,
    max: u32,
}

impl LoadOptions {
    /// Reads what JavaScript gave.
    pub fn parse(options: JsValue) -> Result<Self, JsValue> {
        from_js("the load options", options)
    }

    /// The parts of a pack that come.
    pub fn parts(&self) -> Option<Vec<&str>> {
        self.parts.as_ref().map(|parts| parts.iter().map(String::as_str).collect())
    }

    /// How weights of a checkpoint are kept.
    pub fn dtype(&self) -> Result<Dtype, JsValue> {
        match self.dtype.as_str() {
            "f32" => Ok(Dtype::F32),
            "f16" => Ok(Dtype::F16),
            "q8" => Ok(Dtype::Q8),
            "q4" => Ok(Dtype::Q4),
            other => Err(bad("dtype", format!("`{other}`; expected f32, f16, q8 or q4"))),
        }
    }

    /// Opens the device.
    pub async fn player(&self) -> Result<Player, JsValue> {
        let choice = match self.device.as_str() {
            "auto" => DeviceChoice::Auto,
            "gpu" => DeviceChoice::Gpu,
            "cpu" => DeviceChoice::Cpu,
            other => return Err(bad("device", format!("`{other}`; expected auto, gpu or cpu"))),
        };
        let max_binding_bytes = match self.max_binding_mib {
            // From 64 KiB to 1 TiB; finer than MiB, so that tests can force many shards on a small model.
            Some(mib) if (0.0625..=1_048_576.0).contains(&mib) => Some((mib * 1_048_576.0) as usize & !3),
            Some(mib) => return Err(bad("maxBindingMib", format!("{mib}; expected 0.0625 to 1048576"))),
            None => None,
        };
        let device = DeviceOptions {
            adapter: None,
            max_binding_bytes,
            subgroups: self.subgroups.as_ref().map(|&Subgroups { min, max }| SubgroupSizes { min, max }),
            software: self.software,
            as_real_gpu: self.as_real_gpu,
        };
        Ok(Player::open(choice, &device).await.map_err(thrown)?.with_breath(breathe))
    }
}

fn bad(what: &'static str, reason: String) -> JsValue {
    thrown(BadValue { what, reason })
}
