use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

use crate::base::{Error, ErrorKind, Fault, Remedy, Setting};

/// A value from JavaScript that is not what the call expects.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {reason}")]
pub(super) struct BadValue {
    pub what: &'static str,
    pub reason: String,
}

impl Fault for BadValue {
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

/// An error as JavaScript sees it: `{code, message, remedy, cause?}`.
pub(super) fn thrown(error: impl Into<Error>) -> JsValue {
    let error = error.into();
    let object = Object::new();
    let set = |name: &str, value: &str| {
        // Setting a property of a fresh plain object cannot fail.
        let _ = Reflect::set(&object, &name.into(), &value.into());
    };
    set("code", error.code());
    set("message", &error.to_string());
    set("remedy", &error.remedy().told(option));
    if let Some(cause) = std::error::Error::source(&error) {
        set("cause", &cause.to_string());
    }
    object.into()
}
