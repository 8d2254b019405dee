//! Remedies in the command line's own words.

use ocelli::base::{Error, Setting};

/// What the user can do about an error, with flags for settings.
pub fn told(error: &Error) -> String {
    error.remedy().told(flag)
}

/// What the command line calls a setting.
fn flag(setting: Setting) -> String {
    match setting {
        Setting::Dtype(Some(dtype)) => format!("--dtype {dtype}"),
        Setting::Device(device) => format!("--device {device}"),
        Setting::MaxBinding => "--max-binding-mib".into(),
        // The others are called as their fields are.
        other => format!("--{}", other.to_string().replace('_', "-")),
    }
}
