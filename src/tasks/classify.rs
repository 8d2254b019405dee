use std::cmp::Ordering;

use serde::Serialize;

use super::encoding::{Embedded, Encoding};
use crate::base::{ErrorKind, LayerError, Remedy, Result, sort_by, unit};
use crate::image::{Preprocessor, Rgb8};
use crate::models::{Classify, ImagesOutput};
use crate::session::CancelToken;

/// Where nothing says otherwise, as Hugging Face's pipeline in Python has it.
const TEMPLATE: &str = "This is a photo of {}.";
/// Labels of a head that are told where nothing says how many.
const USUAL_LABELS: usize = 5;
/// Most labels of one call.
const MAX_LABELS: usize = 1 << 16;

/// How well a label fits a picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LabelScore {
    /// The label as it was given, or as the model calls it.
    pub label: String,
    /// How likely it is, from 0 to 1.
    pub score: f32,
    /// What the score is made of.
    pub logit: f32,
}

/// Labels as vectors.
pub(super) struct LabelSet {
    /// The texts that were embedded.
    texts: Vec<String>,
    embedded: Embedded,
}

/// Labels that cannot be told apart.
#[derive(Debug, thiserror::Error)]
pub(super) enum LabelError {
    #[error("no labels were given, and a {0} has none of its own")]
    None(&'static str),
    #[error("{0} labels were given; at most {MAX_LABELS} are taken")]
    TooMany(usize),
    #[error("label {0} is empty")]
    Empty(usize),
    #[error("the template {0:?} has no place for the label")]
    Template(String),
    #[error("this model cannot tell {label:?}; its {count} labels are {some}")]
    Unknown { label: String, count: usize, some: String },
}

impl LayerError for LabelError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::BadArgument
    }

    fn remedy(&self) -> Remedy {
        match self {
            Self::None(_) => "Name what to choose among, such as `cat` and `dog`.",
            Self::TooMany(_) => "Give fewer labels, or several calls.",
            Self::Empty(_) => "Give each label some text.",
            Self::Template(_) => "Put `{}` where the label goes, as in `a photo of {}`.",
            Self::Unknown { .. } => "Choose among the model's labels, or leave the labels out to have the best of all.",
        }
        .into()
    }
}

impl Classify {
    /// Fails on what no model can make sense of.
    pub(super) fn validate(&self) -> Result<(), LabelError> {
        if self.labels.len() > MAX_LABELS {
            return Err(LabelError::TooMany(self.labels.len()));
        }
        if let Some(n) = self.labels.iter().position(|label| label.trim().is_empty()) {
            return Err(LabelError::Empty(n + 1));
        }
        match &self.template {
            Some(template) if !template.contains("{}") => Err(LabelError::Template(template.clone())),
            _ => Ok(()),
        }
    }

    fn texts(&self) -> Vec<String> {
        let template = self.template.as_deref().unwrap_or(TEMPLATE);
        self.labels.iter().map(|label| template.replace("{}", label)).collect()
    }
}

impl Encoding {
    /// The labels of a picture, best first, and warnings.
    pub async fn classify(
        &mut self,
        picture: &Rgb8,
        preprocessor: &Preprocessor,
        task: &Classify,
        cancel: &CancelToken,
    ) -> Result<(Vec<LabelScore>, Vec<String>)> {
        let own = self.encoder().encoders().image.as_ref().and_then(|image| image.labels.clone());
        if let Some(own) = own {
            let chosen = chosen(&own.names, &task.labels)?;
            let rows = self.pictures(std::slice::from_ref(picture), preprocessor, ImagesOutput::Logits, cancel).await?;
            let logits = rows.into_iter().next().unwrap_or_default();
            let scores = if own.multi_label || task.multi { sigmoids(&logits) } else { softmax(&logits) };
            let told = chosen.into_iter().map(|n| (own.names[n].clone(), scores[n], logits[n]));
            let top = if task.labels.is_empty() { Some(task.top_k.unwrap_or(USUAL_LABELS)) } else { task.top_k };
            return Ok((best_first(told, top), Vec::new()));
        }
        if task.labels.is_empty() {
            return Err(LabelError::None(self.encoder().session().architecture().name()).into());
        }
        self.embed_labels(task.texts(), cancel).await?;
        let rows = self.pictures(std::slice::from_ref(picture), preprocessor, ImagesOutput::Embedding, cancel).await?;
        let picture = unit(&rows.into_iter().next().unwrap_or_default());
        let similarity = self.encoder_mut().similarity().await?;
        let (scale, bias) = similarity.map_or((1.0, 0.0), |pair| (pair.scale, pair.bias));
        let Some(set) = &self.labels else { return Ok(Default::default()) };
        let logit = |row: &Vec<f32>| scale * dot(&picture, row) + bias;
        let logits: Vec<f32> = set.embedded.rows.iter().map(logit).collect();
        let scores = sigmoids(&logits);
        let told =
            task.labels.iter().zip(scores).zip(logits).map(|((label, score), logit)| (label.clone(), score, logit));
        let cut = set.embedded.cut.iter().map(|&n| cut_warning(&task.labels[n]));
        Ok((best_first(told, task.top_k), cut.collect()))
    }

    /// Embeds labels, unless they are those of the call before.
    async fn embed_labels(&mut self, texts: Vec<String>, cancel: &CancelToken) -> Result<()> {
        if self.labels.as_ref().is_some_and(|set| set.texts == texts) {
            return Ok(());
        }
        let mut embedded = self.texts(&texts, cancel).await?;
        embedded.rows = embedded.rows.iter().map(|row| unit(row)).collect();
        self.labels = Some(LabelSet { texts, embedded });
        Ok(())
    }
}

/// The numbers of labels in a model's own list; all of them where none are asked for.
fn chosen(own: &[String], asked: &[String]) -> Result<Vec<usize>, LabelError> {
    if asked.is_empty() {
        return Ok((0..own.len()).collect());
    }
    let find = |label: &String| {
        let found = own.iter().position(|name| name.trim().eq_ignore_ascii_case(label.trim()));
        found.ok_or_else(|| LabelError::Unknown {
            label: label.clone(),
            count: own.len(),
            some: own.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", "),
        })
    };
    asked.iter().map(find).collect()
}

/// That a text was longer than its encoder takes.
pub(super) fn cut_warning(text: &str) -> String {
    format!("{text:?} is longer than the model reads: its end was left out")
}

/// Labels with score and logit in order of their logits, the best `top` of them.
pub(super) fn best_first(labels: impl Iterator<Item = (String, f32, f32)>, top: Option<usize>) -> Vec<LabelScore> {
    let mut labels: Vec<_> = labels.map(|(label, score, logit)| LabelScore { label, score, logit }).collect();
    sort_by(&mut labels, |a, b| b.logit.partial_cmp(&a.logit).unwrap_or(Ordering::Equal));
    labels.truncate(top.unwrap_or(labels.len()));
    labels
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>() as f32
}

/// The probability that each logit stands for by itself.
pub(super) fn sigmoids(logits: &[f32]) -> Vec<f32> {
    logits.iter().map(|&logit| (1.0 / (1.0 + (-f64::from(logit)).exp())) as f32).collect()
}

/// Shares of one whole.
pub(super) fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - most).exp()).collect();
    let all: f64 = powers.iter().sum();
    powers.iter().map(|power| (power / all) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(labels: &[&str]) -> Classify {
        Classify { labels: labels.iter().map(|&label| label.to_owned()).collect(), ..Classify::default() }
    }

    #[test]
    fn labels_that_cannot_be_are_refused() {
        assert!(classify(&["cat", " "]).validate().is_err());
        assert!(Classify { template: Some("a photo".into()), ..classify(&["cat"]) }.validate().is_err());
        assert!(classify(&vec!["cat"; MAX_LABELS + 1]).validate().is_err());
        assert!(classify(&["cat"]).validate().is_ok());
    }

    #[test]
    fn a_template_has_the_label_in_its_place() {
        assert_eq!(classify(&["cat"]).texts(), ["This is a photo of cat."]);
        let other = Classify { template: Some("{} and {}".into()), ..classify(&["cat"]) };
        assert_eq!(other.texts(), ["cat and cat"]);
    }

    #[test]
    fn a_head_knows_its_labels_whatever_their_case() {
        let own = ["Cat".to_owned(), "dog".to_owned()];
        assert_eq!(chosen(&own, &["DOG ".to_owned()]).expect("it is there"), [1]);
        assert_eq!(chosen(&own, &[]).expect("all"), [0, 1]);
        assert!(chosen(&own, &["cup".to_owned()]).expect_err("it is not").to_string().contains("Cat, dog"));
    }

    #[test]
    fn scores_are_sigmoids_or_shares() {
        assert_eq!(sigmoids(&[0.0]), [0.5]);
        let shares = softmax(&[1000.0, 1000.0]);
        assert_eq!(shares, [0.5, 0.5]);
        let best = best_first([("a".to_owned(), 0.1, 1.0), ("b".to_owned(), 0.9, 2.0)].into_iter(), Some(1));
        assert_eq!(best.iter().map(|label| label.label.as_str()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn a_unit_vector_has_length_one() {
        assert_eq!(unit(&[3.0, 4.0]), [0.6, 0.8]);
        assert_eq!(unit(&[0.0; 2]), [0.0; 2]);
    }
}
