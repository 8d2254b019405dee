//! One JSON object on one line of standard output.

use std::io::{self, Write};

use serde::Serialize;

use super::error::CliError;

pub fn print(object: &impl Serialize) -> Result<(), CliError> {
    let mut line = serde_json::to_vec(object).map_err(|error| CliError::Output(error.into()))?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line).and_then(|()| out.flush()).map_err(CliError::Output)
}

/// Text as it is, at once: what streams must not wait for a line's end.
pub fn text(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(CliError::Output)
}
