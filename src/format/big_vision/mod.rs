//! Weights as big_vision publishes them: one NumPy archive, layers stacked, most matrices the other way round. Its
//! arrays are read where they lie, as the tensors of published checkpoints.

mod strided;

use std::collections::BTreeMap;

pub use self::strided::{Axis, Strided};
use super::npz;
use super::published::has_weights;
use super::safetensors::Entry;
use super::{ArchiveRules, CheckpointRules, FormatError, ModelFiles, Rule, Target};

/// Layers of the deepest model that is read: a file that claims more lies.
const MAX_LAYERS: usize = 1024;

/// The archive of weights among the files of a model.
#[derive(Debug)]
pub struct BigVision {
    file: String,
    tensors: Vec<Tensor>,
    axes: Axes,
    variant: Option<&'static str>,
}

/// A tensor of a published checkpoint within the archive.
#[derive(Debug)]
pub struct Tensor {
    /// Its name in published checkpoints.
    pub name: String,
    /// Its name and place in the archive; the shape is that of published checkpoints, flattened to a matrix.
    pub entry: Entry,
    /// How it lies there; `None` is row by row.
    pub strided: Option<Strided>,
}

/// Extents by their letters, each with the array that said so first.
#[derive(Debug, Default)]
struct Axes(BTreeMap<char, (usize, String)>);

impl BigVision {
    /// Opens the archive of a folder that has one and no other weights, if the architecture has rules for archives.
    ///
    /// # Errors
    /// Several archives, one that is damaged, or arrays that are missing or contradict one another.
    pub fn open(files: &dyn ModelFiles, rules: &CheckpointRules) -> Result<Option<Self>, FormatError> {
        let Some(archive) = rules.archive else { return Ok(None) };
        let name = Self::find(files, rules)?;
        name.map(|name| Self::parse(name, files.get(name).unwrap_or_default(), archive)).transpose()
    }

    /// Whether a folder's weights are an archive that no other architecture has.
    ///
    /// # Errors
    /// Several archives, or one that is damaged.
    pub fn is_of(files: &dyn ModelFiles, rules: &CheckpointRules) -> Result<bool, FormatError> {
        let (Some(archive), Some(name)) = (rules.archive, Self::find(files, rules)?) else { return Ok(false) };
        let mark = format!("params/{}", archive.mark);
        Ok(npz::parse(name, files.get(name).unwrap_or_default())?.iter().any(|entry| entry.name == mark))
    }

    /// The archive of a folder that has one and no other weights.
    fn find<'f>(files: &'f dyn ModelFiles, rules: &CheckpointRules) -> Result<Option<&'f str>, FormatError> {
        if has_weights(files) {
            return Ok(None);
        }
        let is_extra = |name: &str| rules.extra.iter().any(|extra| extra.file == name);
        let mut archives = files.names().into_iter().filter(|name| name.ends_with(".npz") && !is_extra(name));
        match (archives.next(), archives.next()) {
            (name, None) => Ok(name),
            (None, Some(_)) => Ok(None),
            (Some(one), Some(other)) => {
                let names = format!("{one} and {other}");
                Err(FormatError::SeveralArchives { names, place: files.place().into() })
            }
        }
    }

    fn parse(file: &str, bytes: &[u8], archive: &ArchiveRules) -> Result<Self, FormatError> {
        let arrays: BTreeMap<String, Entry> =
            npz::parse(file, bytes)?.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
        let holds = |name: &str| arrays.contains_key(&format!("params/{name}"));
        if let Some(name) = archive.refused.iter().find(|name| holds(name)) {
            return Err(FormatError::Weights {
                file: file.into(),
                what: format!("the array params/{name}"),
                found: "there".into(),
                expected: format!("none, as in every {} that was published last", archive.kind),
            });
        }
        let variant = archive.variants.iter().find(|variant| variant.mark.is_none_or(holds));
        let rules = archive.common.iter().copied().flatten().chain(variant.map_or(&[][..], |variant| variant.rules));
        let variant = variant.map(|variant| variant.name);
        let mut found = Self { file: file.into(), tensors: Vec::new(), axes: Axes::default(), variant };
        let rules: Vec<&Rule> = rules.collect();
        for rule in &rules {
            let name = format!("params/{}", rule.from);
            if let Some(layers) = apart(rule, &name, &arrays) {
                found.axes.note_layers(file, rule, &layers)?;
                // What is left of the rule is a layer's.
                let rule = Rule { axes: &rule.axes[1..], ..**rule };
                for (layer, array) in layers.into_iter().enumerate() {
                    found.axes.learn(file, &rule, array)?;
                    found.add(&rule, array, Some(layer));
                }
                continue;
            }
            let array = arrays.get(&name).ok_or_else(|| FormatError::Weights {
                file: file.into(),
                what: format!("the array {name}"),
                found: "missing".into(),
                expected: format!("there, as in every {}", archive.kind),
            })?;
            let fits = |other: &&&Rule| other.from == rule.from && fits(other, array);
            if rules.iter().find(fits).is_some_and(|other| !std::ptr::eq(*other, *rule)) {
                continue;
            }
            found.axes.learn(file, rule, array)?;
            found.add(rule, array, None);
        }
        Ok(found)
    }

    /// Adds the tensors of an array whose axes are known; `layer` is the number of the one that it is of.
    fn add(&mut self, rule: &Rule, array: &Entry, layer: Option<usize>) {
        let mut strides = BTreeMap::new();
        let mut stride = 1;
        for (axis, &extent) in rule.axes.chars().rev().zip(array.shape.iter().rev()) {
            strides.insert(axis, Axis { extent, stride });
            stride *= extent;
        }
        let element = array.bytes.len() / stride.max(1);
        let (own, layers) = (layer, strides.get(&'L').or(strides.get(&'l')).copied());
        for layer in 0..layers.map_or(1, |axis| axis.extent) {
            for (part, target) in rule.to.iter().enumerate() {
                let first = layer * layers.map_or(0, |axis| axis.stride)
                    + part * strides.get(&'2').map_or(0, |axis| axis.stride);
                let axes = |letters: &str| letters.chars().filter_map(|axis| strides.get(&axis).copied()).collect();
                let places = [layers.map(|_| layer), strides.get(&'2').map(|_| part)];
                let stored = Stored { array, layer: own.or(places[0]), places, first: first * element };
                self.tensors.push(stored.tensor(target, axes(target.rows), axes(target.columns)));
            }
        }
    }

    /// The archive's name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Its tensors.
    pub fn into_tensors(self) -> Vec<Tensor> {
        self.tensors
    }

    /// The extent of an axis by its letter in the table of the rules.
    pub fn extent(&self, axis: char) -> usize {
        self.axes.0.get(&axis).map_or(0, |(extent, _)| *extent)
    }

    /// The name of the variant that it is of, where the rules tell several.
    pub fn variant(&self) -> Option<&'static str> {
        self.variant
    }
}

/// A part of an array.
struct Stored<'a> {
    array: &'a Entry,
    /// The number of the layer that it is of.
    layer: Option<usize>,
    /// The numbers of the layer and of the part, where the array has several.
    places: [Option<usize>; 2],
    /// Bytes in front of it.
    first: usize,
}

impl Stored<'_> {
    fn tensor(&self, target: &Target, rows: Vec<Axis>, columns: Vec<Axis>) -> Tensor {
        let extent = |axes: &[Axis]| axes.iter().map(|axis| axis.extent).product::<usize>();
        let Entry { name, dtype, shape, bytes } = self.array;
        let element = bytes.len() / shape.iter().product::<usize>().max(1);
        let start = bytes.start + self.first;
        let bytes = start..start + extent(&rows) * extent(&columns) * element;
        let shape = if columns.is_empty() { vec![extent(&rows)] } else { vec![extent(&rows), extent(&columns)] };
        let layer = self.layer.map(|layer| layer.to_string()).unwrap_or_default();
        let places: String = self.places.iter().flatten().map(|place| format!("[{place}]")).collect();
        let entry = Entry { name: format!("{name}{places}"), dtype: dtype.clone(), shape, bytes };
        Tensor { name: target.name.replace("{}", &layer), entry, strided: Strided::new(rows, columns) }
    }
}

/// Whether an array has a rule's axes, those of a fixed extent included.
fn fits(rule: &Rule, array: &Entry) -> bool {
    let fixed = |axis: char| axis.to_digit(10).map(|n| n as usize);
    let mut axes = rule.axes.chars().zip(&array.shape);
    rule.axes.len() == array.shape.len() && axes.all(|(axis, &extent)| fixed(axis).is_none_or(|n| n == extent))
}

/// The arrays of a rule's layers in their order, where each has its own.
fn apart<'a>(rule: &Rule, name: &str, arrays: &'a BTreeMap<String, Entry>) -> Option<Vec<&'a Entry>> {
    if !rule.axes.starts_with(['L', 'l']) || arrays.contains_key(name) {
        return None;
    }
    let of = |layer: usize| arrays.get(&name.replacen("/encoderblock/", &format!("/encoderblock_{layer}/"), 1));
    let layers: Vec<&Entry> = (0..=MAX_LAYERS).map_while(of).collect();
    (!layers.is_empty()).then_some(layers)
}

impl Axes {
    /// Notes how many layers there are, each of which has an array of its own.
    fn note_layers(&mut self, file: &str, rule: &Rule, layers: &[&Entry]) -> Result<(), FormatError> {
        let (axis, count) = (rule.axes.chars().next().unwrap_or_default(), layers.len());
        let (known, by) = self.0.entry(axis).or_insert_with(|| (count, rule.from.into()));
        if *known == count && count <= MAX_LAYERS {
            return Ok(());
        }
        Err(FormatError::Weights {
            file: file.into(),
            what: format!("the layers of {}", rule.from),
            found: count.to_string(),
            expected: format!("{known}, as {by} has"),
        })
    }

    /// Notes the extents of an array and checks them against what others said.
    fn learn(&mut self, file: &str, rule: &Rule, array: &Entry) -> Result<(), FormatError> {
        let fault = |what: String, found: String, expected: String| {
            Err(FormatError::Weights { file: file.into(), what, found, expected })
        };
        let count = rule.axes.len();
        if array.shape.len() != count {
            return fault(
                format!("the shape of {}", array.name),
                format!("{:?}", array.shape),
                format!("{count} axes"),
            );
        }
        for (place, (axis, &extent)) in rule.axes.chars().zip(&array.shape).enumerate() {
            let what = || format!("axis {place} of {}", array.name);
            let fixed = axis.to_digit(10).map(|n| n as usize);
            if let Some(expected) = fixed.filter(|&n| n != extent) {
                return fault(what(), extent.to_string(), expected.to_string());
            }
            if extent == 0 {
                return fault(what(), "0".into(), "at least 1".into());
            }
            if matches!(axis, 'L' | 'l') && extent > MAX_LAYERS {
                return fault(what(), extent.to_string(), format!("at most {MAX_LAYERS} layers"));
            }
            let (known, by) = self.0.entry(axis).or_insert_with(|| (extent, array.name.clone()));
            if fixed.is_none() && *known != extent {
                return fault(what(), extent.to_string(), format!("{known}, as {by} has"));
            }
        }
        Ok(())
    }
}
