use crate::base::{Details, Error, ErrorKind, Fit, LayerError, Remedy, Setting};
use crate::tensor::Dtype;

/// Weights that their device has no room for, seen before any weight has come.
#[derive(Debug, thiserror::Error)]
#[error("{cause}; the weights take {needed} bytes in {}, {} more than the device gave", dtype.name(), needed.saturating_sub(*given))]
pub(super) struct TooLarge {
    /// What the device refused.
    pub cause: Error,
    /// Bytes that the weights take.
    pub needed: u64,
    /// Bytes that the device gave until then.
    pub given: u64,
    /// How they are stored.
    pub dtype: Dtype,
    /// A smaller dtype that fits into what was given, and its bytes.
    pub fits: Option<(Dtype, u64)>,
}

impl LayerError for TooLarge {
    fn kind(&self) -> ErrorKind {
        self.cause.kind()
    }

    fn remedy(&self) -> Remedy {
        match self.fits {
            Some((dtype, bytes)) => {
                let name = dtype.name();
                Remedy::of([
                    format!("Use the model in {name}, which needs {bytes} bytes: load or convert its checkpoint with ")
                        .into(),
                    Setting::Dtype(Some(name)).into(),
                    ".".into(),
                ])
            }
            None => self.cause.remedy(),
        }
    }

    fn details(&self) -> Details {
        let fits = self.fits.map(|(dtype, bytes)| Fit { dtype: dtype.name(), bytes });
        Details { needed: Some(self.needed), available: Some(self.given), fits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::GpuError;

    fn fault(fits: Option<(Dtype, u64)>) -> TooLarge {
        let what = "the buffer `decoder.embed`".into();
        let cause = GpuError::OutOfMemory { what, needed: 400, held: 600, reason: "no more".into() };
        TooLarge { cause: cause.into(), needed: 1000, given: 600, dtype: Dtype::Q8, fits }
    }

    #[test]
    fn it_says_what_is_missing_and_which_dtype_would_fit() {
        let fault = fault(Some((Dtype::Q4, 550)));
        assert_eq!(fault.kind(), ErrorKind::OutOfMemory);
        let text = fault.to_string();
        assert!(
            text.contains("`decoder.embed`") && text.ends_with("take 1000 bytes in q8, 400 more than the device gave"),
            "{text}"
        );
        assert_eq!(
            fault.remedy().to_string(),
            "Use the model in q4, which needs 550 bytes: load or convert its checkpoint with dtype q4."
        );
        let fits = Some(Fit { dtype: "q4", bytes: 550 });
        assert_eq!(fault.details(), Details { needed: Some(1000), available: Some(600), fits });
    }

    #[test]
    fn without_such_a_dtype_the_device_says_what_to_do() {
        let fault = fault(None);
        assert_eq!(fault.remedy(), fault.cause.remedy());
    }
}
