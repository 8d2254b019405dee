use std::collections::HashMap;
use std::ops::Range;

use crate::base::Result;
use crate::format::FormatError;
use crate::format::pack::{FileEntry, MANIFEST, Manifest, WeightGroup};
use crate::graph::WeightSpec;
use crate::models::{self, Architecture, Part};
use crate::tensor::Dtype;

/// The architecture of a pack, with all parts that it cannot do without.
///
/// # Errors
/// A configuration that cannot be run, or a manifest that contradicts it.
pub fn open_pack(manifest: &Manifest) -> Result<Box<dyn Architecture>> {
    let architecture = models::open(&manifest.config)?;
    check(architecture.as_ref(), manifest)?;
    Ok(architecture)
}

fn check(architecture: &dyn Architecture, manifest: &Manifest) -> Result<(), FormatError> {
    let name = architecture.name();
    if manifest.architecture != name {
        return Err(contradiction("the architecture", format!("{:?}", manifest.architecture), format!("{name:?}")));
    }
    let known = architecture.parts();
    let listed: Vec<&str> = manifest.groups.iter().flat_map(|group| &group.parts).map(String::as_str).collect();
    let mut rest = listed.iter().peekable();
    let all_there =
        known.iter().all(|part| rest.next_if(|name| **name == part.name).is_some() || part.optional.is_some());
    if !all_there || rest.next().is_some() {
        let told = known.iter().map(|part| match part.optional {
            Some(_) => format!("{} (which may be left out)", part.name),
            None => part.name.to_owned(),
        });
        let expected = format!("{}, in this order", told.collect::<Vec<_>>().join(", "));
        return Err(contradiction("the list of parts", listed.join(", "), expected));
    }
    let (reads_text, told) = (architecture.reads_text(), |there| if there { "there" } else { "missing" });
    if reads_text != manifest.tokenizer.is_some() {
        let expected = format!("{} for a {name}", told(reads_text));
        return Err(contradiction("the tokenizer", told(!reads_text).into(), expected));
    }
    Ok(())
}

fn contradiction(what: &str, found: String, expected: String) -> FormatError {
    FormatError::Weights { file: MANIFEST.into(), what: what.into(), found, expected }
}

/// The weights that the shards of a pack bring, or those of some of its groups.
pub struct PackWeights<'m> {
    manifest: &'m Manifest,
    /// In order of execution.
    pub specs: Vec<WeightSpec>,
    /// Each group with the numbers of its weights.
    groups: Vec<(Range<usize>, &'m WeightGroup)>,
}

impl<'m> PackWeights<'m> {
    /// `parts` names those that are wanted: what comes in one group with them comes along. `None` is all of them.
    ///
    /// # Errors
    /// A part that the pack does not have, a configuration that no graph can be built of, more weights than the shards can
    /// hold.
    pub fn of(architecture: &dyn Architecture, manifest: &'m Manifest, parts: Option<&[&str]>) -> Result<Self> {
        let there = |name: &str| manifest.groups.iter().any(|group| group.covers(&[name]));
        if let Some(missing) = parts.unwrap_or_default().iter().find(|name| !there(name)) {
            return Err(FormatError::NoPart { name: (*missing).into() }.into());
        }
        let listed: Vec<Part> = architecture.parts().into_iter().filter(|part| there(part.name)).collect();
        let mut by_part = models::weights_by_part(architecture, &listed)?.into_iter();
        let mut weights = Self { manifest, specs: Vec::new(), groups: Vec::new() };
        for group in &manifest.groups {
            let own: Vec<WeightSpec> = by_part.by_ref().take(group.parts.len()).flatten().collect();
            if parts.is_none_or(|parts| group.covers(parts)) {
                weights.check_length(group, &own)?;
                let first = weights.specs.len();
                weights.specs.extend(own);
                weights.groups.push((first..weights.specs.len(), group));
            }
        }
        Ok(weights)
    }

    /// Fails where a configuration asks for more than shards can hold: nothing is allocated for what cannot come.
    fn check_length(&self, group: &WeightGroup, specs: &[WeightSpec]) -> Result<(), FormatError> {
        let needed = specs.iter().fold(0u64, |sum, spec| sum.saturating_add(spec.bytes(self.dtype(spec))));
        let held = group.shards.iter().fold(0u64, |sum, shard| sum.saturating_add(shard.bytes));
        if needed <= held {
            return Ok(());
        }
        let what = format!("the length of all shards of {}", group.parts.join(", "));
        let expected = format!("at least the {needed} bytes of weights that its config asks for");
        Err(contradiction(&what, format!("{held} bytes"), expected))
    }

    /// How the pack stores a weight.
    pub fn dtype(&self, spec: &WeightSpec) -> Dtype {
        spec.kept_in(if self.manifest.f16.contains(&spec.name) { Dtype::F16 } else { self.manifest.dtype })
    }

    /// Whether a part is among those that come.
    pub fn covers(&self, part: &str) -> bool {
        self.groups.iter().any(|(_, group)| group.covers(&[part]))
    }

    /// The shards that bring them, in their order.
    pub fn shards(&self) -> impl Iterator<Item = &'m FileEntry> {
        self.groups.iter().flat_map(|(_, group)| &group.shards)
    }

    /// The numbers of the weights that each shard may bring rows of.
    pub(super) fn places(&self) -> HashMap<String, Range<usize>> {
        let place = |(numbers, group): &(Range<usize>, &'m WeightGroup)| {
            let numbers = numbers.clone();
            group.shards.iter().map(move |shard| (shard.file.clone(), numbers.clone()))
        };
        self.groups.iter().flat_map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Graph, ShapeError};
    use crate::models::{Pass, Section};

    /// Sees, and reads no text.
    struct Mute;

    impl Architecture for Mute {
        fn name(&self) -> &'static str {
            "mute"
        }

        fn parts(&self) -> Vec<Part> {
            vec![Part { name: "vision", pass: Pass::EncodeImage, optional: None }]
        }

        fn build(&self, _: &Pass) -> Result<Graph, ShapeError> {
            Ok(Graph::new("nothing"))
        }

        fn report(&self) -> Vec<Section> {
            Vec::new()
        }
    }

    #[test]
    fn a_pack_has_a_tokenizer_where_the_architecture_reads_text_and_there_alone() {
        let manifest = |tokenizer: &str| {
            let head = r#"{"format":2,"architecture":"mute","dtype":"f32","config":{},"#;
            let json = format!(r#"{head}{tokenizer}"parts":[{{"name":"vision","shards":[]}}]}}"#);
            Manifest::parse(json.as_bytes()).expect("it is well-formed")
        };
        check(&Mute, &manifest("")).expect("it needs none");
        let odd = manifest(r#""tokenizer":{"file":"tokenizer.bin","bytes":1,"sha256":""},"#);
        let said = check(&Mute, &odd).expect_err("it is refused").to_string();
        assert!(said.contains("the tokenizer is there, expected missing for a mute"), "{said}");
        let weights = PackWeights::of(&Mute, &odd, None).expect("there are none");
        assert!(weights.specs.is_empty() && weights.covers("vision") && !weights.covers("decoder"));
    }
}
