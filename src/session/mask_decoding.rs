use super::{Session, SessionError};
use crate::base::Result;
use crate::models::{Pass, states};

impl Session {
    /// Whether the checkpoint came with a decoder of masks.
    pub fn decodes_masks(&self) -> bool {
        self.has(&Pass::DecodeMask).unwrap_or(false)
    }

    /// The mask that codes stand for, row by row, about -1 outside the thing and 1 inside.
    ///
    /// # Errors
    /// A model without a decoder of masks, a failing device.
    pub async fn decode_mask(&mut self, codes: &[u8]) -> Result<Vec<f32>> {
        if !self.decodes_masks() {
            return Err(SessionError::NoMaskDecoder.into());
        }
        let ids: Vec<u32> = codes.iter().map(|&code| code.into()).collect();
        self.run(&Pass::DecodeMask, &[(states::MASK_CODES, bytemuck::cast_slice(&ids))], states::MASK).await
    }
}
