use serde::{Deserialize, Serialize};

use super::FileEntry;

/// Shards that belong together: whoever wants any part that they cover needs them all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightGroup {
    /// The parts of the model whose weights these are. A weight that several parts use is the first one's.
    #[serde(rename = "name", with = "only_name")]
    pub parts: Vec<String>,
    /// The weights in order of execution.
    pub shards: Vec<FileEntry>,
}

impl WeightGroup {
    /// Whether it has weights of one of these parts.
    pub fn covers(&self, parts: &[&str]) -> bool {
        self.parts.iter().any(|part| parts.contains(&part.as_str()))
    }
}

/// Groups of several parts are read from format 1 alone, and never written.
mod only_name {
    use serde::ser::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(parts: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        match parts {
            [part] => serializer.serialize_str(part),
            _ => Err(S::Error::custom("a group of several parts")),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        Ok(vec![String::deserialize(deserializer)?])
    }
}
