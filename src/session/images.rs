use super::session::PlanKey;
use super::{Session, SessionError};
use crate::base::Result;
use crate::graph::record::{BufferDecl, Command, Recording, Role};
use crate::graph::{ExternalKey, Plan, StateKind, StateSpec};
use crate::kernels::Step;
use crate::models::{ImageInput, Pass, states};

/// Encodes images one by one and keeps what becomes of them side by side, for a decoder to read.
pub(super) struct Images {
    input: ImageInput,
    /// Rows of features that there is room for.
    rows: usize,
}

impl Images {
    pub fn new(input: ImageInput) -> Self {
        Self { input, rows: 0 }
    }

    /// Rows of features that ids may refer to.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Takes the memory for so many images.
    pub async fn reserve(&mut self, session: &mut Session, count: usize) -> Result<()> {
        session.reserve(&Pass::EncodeImage).await?;
        let rows = count * self.input.tokens;
        if self.rows < rows {
            // A device that has no room for them, or a call that is cancelled meanwhile, leaves none.
            self.rows = 0;
            let (name, width) = (states::FEATURES.into(), self.input.width);
            session.ensure(&[StateSpec { name, kind: StateKind::Memory, rows, width }]).await?;
            self.rows = rows;
        }
        Ok(())
    }

    /// Encodes images, each `[S, S, 3]` f32; their features stay on the device in the order given.
    pub async fn encode(&mut self, session: &mut Session, images: &[&[f32]]) -> Result<()> {
        let expected = self.input.values();
        if let Some(image) = images.iter().find(|image| image.len() != expected) {
            return Err(SessionError::Picture { found: image.len(), expected }.into());
        }
        self.reserve(session, images.len()).await?;
        let tokens = self.input.tokens as u32;
        let step = Step::one(0, tokens, tokens, 0);
        for (n, image) in images.iter().enumerate() {
            session.write(states::IMAGE, bytemuck::cast_slice(image))?;
            session.submit(&Pass::EncodeImage, &step, &[]).await?.await?;
            let key = self.prepare_place(session, n).await?;
            session.play(&key, &step, &[])?.await?;
        }
        Ok(())
    }

    /// The plan that copies the image encoded last to the n-th place.
    pub async fn prepare_place(&self, session: &mut Session, n: usize) -> Result<PlanKey> {
        let bytes = self.input.tokens * self.input.width * 4;
        let (from, to, at) = (states::PICTURE, states::FEATURES, n * bytes);
        let held = session.state_bytes(to);
        let key = PlanKey::CopyState { from, to, at, bytes };
        session.prepare_copies(&key, || copy_plan(n, [(from, bytes), (to, held)], at)).await?;
        Ok(key)
    }
}

fn copy_plan(n: usize, states: [(&'static str, usize); 2], at: usize) -> Plan {
    let buffers = (0..).zip(states).map(|(external, (name, bytes))| BufferDecl {
        bytes,
        role: Role::External(external),
        label: name.into(),
    });
    let copy = Command::Copy { from: 0, from_offset: 0, to: 1, to_offset: at, bytes: states[0].1 };
    let recording = Recording { name: format!("place {n}"), buffers: buffers.collect(), commands: vec![copy] };
    Plan { recording, externals: states.map(|(name, _)| ExternalKey::State(name.into())).into() }
}
