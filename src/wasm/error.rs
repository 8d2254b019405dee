use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::base::{Details, Error, ErrorKind, LayerError, Remedy, Setting};

/// A value from JavaScript that is not what the call expects.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {reason}")]
pub(super) struct BadValue {
    pub what: &'static str,
    pub reason: String,
}

impl LayerError for BadValue {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadArgument
    }

    fn remedy(&self) -> Remedy {
        "Compare the options with the package's types.".into()
    }
}

/// What the page calls a setting.
fn option(setting: Setting) -> String {
    let name = match setting {
        Setting::Dtype(Some(dtype)) => return format!("`dtype: '{dtype}'`"),
        Setting::Device(device) => return format!("`device: '{device}'`"),
        Setting::Dtype(None) => "`dtype`",
        Setting::MaxBinding => "`maxBindingMib`",
        Setting::MaxNewTokens => "`maxNewTokens`",
        Setting::Temperature => "`temperature`",
        Setting::TopK => "`topK`",
        Setting::TopP => "`topP`",
        Setting::Beams => "`beams`",
        Setting::Stop => "`stop`",
        // A page has no options for these.
        Setting::Adapter => "the adapter",
        Setting::Preset => "a preset",
    };
    name.into()
}

/// An error as JavaScript sees it.
#[derive(Serialize)]
struct Thrown {
    code: &'static str,
    message: String,
    remedy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<DetailsOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DetailsOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fits: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fits_bytes: Option<f64>,
}

impl From<Details> for DetailsOut {
    fn from(Details { needed, available, fits }: Details) -> Self {
        Self {
            needed: needed.map(|bytes| bytes as f64),
            available: available.map(|bytes| bytes as f64),
            fits: fits.map(|fit| fit.dtype),
            fits_bytes: fits.map(|fit| fit.bytes as f64),
        }
    }
}

/// An error as it is thrown: `{code, message, remedy, details?, cause?}`.
pub(super) fn thrown(error: impl Into<Error>) -> JsValue {
    let error = error.into();
    let details = error.details();
    let thrown = Thrown {
        code: error.code(),
        message: error.to_string(),
        remedy: error.remedy().told(option),
        details: (details != Details::default()).then(|| details.into()),
        cause: std::error::Error::source(&error).map(ToString::to_string),
    };
    serde_wasm_bindgen::to_value(&thrown).unwrap_or_else(JsValue::from)
}
