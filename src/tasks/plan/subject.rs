use crate::base::Result;
use crate::format::pack::{MANIFEST, Manifest};
use crate::format::{Checkpoint, ModelFiles};
use crate::graph::WeightSpec;
use crate::models::shape_law::VitShape;
use crate::models::{self, Architecture, DecoderPass, Part, Pass, PassOutput};
use crate::session::{checkpoint_parts, open_pack};
use crate::tasks::load::{config_json, file};
use crate::tensor::Dtype;

/// A model as a plan sees it: its graphs, its parts, and how its weights are kept.
pub(super) struct Subject<'a> {
    architecture: Box<dyn Architecture + 'a>,
    parts: Vec<Part>,
    dtype: Dtype,
    /// Matrices that are kept as f16 all the same.
    f16: Vec<String>,
    weights: Vec<PartWeights>,
}

/// The weights of a part, in order of execution.
pub(super) struct PartWeights {
    pub name: &'static str,
    pub names: Vec<String>,
    pub bytes: Vec<u64>,
    pub parameters: u64,
    /// Whether it is the decoder, which has the cache.
    pub caches: bool,
}

/// The passes that an answer is made of.
pub(super) struct Passes {
    pub image: Option<Pass>,
    pub prefill: Option<Pass>,
    pub token: Option<Pass>,
}

impl Passes {
    pub fn all(&self) -> impl Iterator<Item = Pass> {
        [&self.image, &self.prefill, &self.token].into_iter().flatten().cloned()
    }
}

impl<'a> Subject<'a> {
    pub fn of_shape(shape: &'a VitShape, dtype: Option<Dtype>) -> Result<Self> {
        Self::new(Box::new(*shape), shape.parts(), dtype.unwrap_or(Dtype::Q8), Vec::new())
    }

    pub fn of_files(files: &dyn ModelFiles, dtype: Option<Dtype>) -> Result<Self> {
        let Some(manifest) = files.get(MANIFEST) else {
            let architecture = models::open(&config_json(files)?)?;
            let checkpoint = Checkpoint::open(files, &architecture.checkpoint_rules())?;
            let parts = checkpoint_parts(architecture.as_ref(), &checkpoint);
            return Self::new(architecture, parts, dtype.unwrap_or(Dtype::Q8), Vec::new());
        };
        let manifest = Manifest::parse(manifest)?;
        for shard in manifest.shards() {
            file(files, &shard.file)?;
        }
        let architecture = open_pack(&manifest)?;
        let there = |part: &Part| manifest.groups.iter().any(|group| group.covers(&[part.name]));
        let parts = architecture.parts().into_iter().filter(there).collect();
        // Another dtype is another pack: what this one would be.
        let f16 = if dtype.is_none_or(|dtype| dtype == manifest.dtype) { manifest.f16 } else { Vec::new() };
        Self::new(architecture, parts, dtype.unwrap_or(manifest.dtype), f16)
    }

    fn new(architecture: Box<dyn Architecture + 'a>, parts: Vec<Part>, dtype: Dtype, f16: Vec<String>) -> Result<Self> {
        let by_part = models::weights_by_part(architecture.as_ref(), &parts)?;
        let mut subject = Self { architecture, parts, dtype, f16, weights: Vec::new() };
        let weights = subject.parts.iter().zip(by_part).map(|(part, specs)| PartWeights {
            name: part.name,
            bytes: specs.iter().map(|spec| subject.bytes(spec)).collect(),
            parameters: specs.iter().map(|spec| spec.rows as u64 * spec.k as u64).sum(),
            caches: matches!(part.pass, Pass::Decoder(_)),
            names: specs.into_iter().map(|spec| spec.name).collect(),
        });
        subject.weights = weights.collect();
        Ok(subject)
    }

    pub fn architecture(&self) -> &(dyn Architecture + 'a) {
        self.architecture.as_ref()
    }

    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter()
    }

    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    pub fn weights(&self) -> &[PartWeights] {
        &self.weights
    }

    /// Bytes of a weight on a device.
    pub fn bytes(&self, spec: &WeightSpec) -> u64 {
        spec.bytes(if self.f16.contains(&spec.name) { Dtype::F16 } else { self.dtype })
    }

    /// The passes over one picture of so many rows and a prompt behind it, `tokens` in all.
    pub fn passes(&self, tokens: usize, picture: usize) -> Passes {
        let image = self.parts.iter().map(|part| &part.pass);
        let image = image.clone().find(|pass| matches!(pass, Pass::EncodeImage | Pass::Images(_)));
        let prefill =
            DecoderPass { tokens, feature_rows: picture, output: PassOutput::Greedy, ..DecoderPass::decode(tokens, 1) };
        let decodes = self.architecture.decoder().is_some();
        Passes {
            image: image.cloned(),
            prefill: decodes.then_some(Pass::Decoder(prefill)),
            token: decodes.then(|| Pass::Decoder(DecoderPass::decode(tokens + 1, 1))),
        }
    }
}
