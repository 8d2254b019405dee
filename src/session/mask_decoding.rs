use super::session::StateRead;
use super::{Session, SessionFault};
use crate::base::Result;
use crate::kernels::Step;
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
            return Err(SessionFault::NoMaskDecoder.into());
        }
        let pass = Pass::DecodeMask;
        self.prepare(&pass).await?;
        let ids: Vec<u32> = codes.iter().map(|&code| code.into()).collect();
        self.write(states::MASK_CODES, bytemuck::cast_slice(&ids))?;
        let bytes = self.state_bytes(states::MASK);
        let step = Step::one(0, (bytes / 4) as u32, 0, 0);
        let mask = self.submit(&pass, &step, &[StateRead::new(states::MASK, 0..bytes)]).await?.await?;
        Ok(bytemuck::pod_collect_to_vec(&mask))
    }
}
