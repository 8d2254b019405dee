use std::ops::Range;

use super::images::Images;
use super::kv_cache::{KvCache, caches};
use super::session::{PlanKey, StateRead};
use super::submitted::{CHOICE_WORDS, Submitted};
use super::{Session, SessionError};
use crate::base::{ErrorKind, LayerError, Remedy, Result, round_up};
use crate::kernels::{Sequence, Step};
use crate::models::{Architecture, Decoder, DecoderPass, Pass, PassOutput, states};

/// Suffixes that are scored side by side: each has a slot of the KV cache to itself.
const SCORED: usize = 8;
/// Their rows are padded to a multiple of this, so that few recordings are made.
const SCORED_STEP: usize = 8;

/// Drives a model that writes token after token: a prefill over images and prompt, then decode steps over a KV cache.
pub struct AutoRegressive {
    session: Session,
    decoder: Decoder,
    images: Option<Images>,
    cache: KvCache,
    /// Tokens before which all see each other.
    prefix: usize,
}

/// A model without what this driver needs.
#[derive(Debug, thiserror::Error)]
#[error("a {architecture} writes no text")]
struct NoDecoder {
    architecture: &'static str,
}

impl LayerError for NoDecoder {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unsupported
    }

    fn remedy(&self) -> Remedy {
        "Use a model that writes text, such as a PaliGemma.".into()
    }
}

impl AutoRegressive {
    /// Over a session whose architecture has a decoder.
    ///
    /// # Errors
    /// An architecture without one.
    pub fn new(session: Session) -> Result<Self> {
        let architecture = session.architecture();
        let decoder = architecture.decoder().ok_or(NoDecoder { architecture: architecture.name() })?;
        let images = architecture.image().map(Images::new);
        Ok(Self { session, decoder, images, cache: KvCache::default(), prefix: 0 })
    }

    /// The model on its player.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The same, to bring its weights or to run a pass of another kind.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The session without its driver.
    pub fn into_session(self) -> Session {
        self.session
    }

    /// Rows of features that each image becomes.
    pub fn image_tokens(&self) -> usize {
        self.session.architecture().image().map_or(0, |image| image.tokens)
    }

    /// Takes the memory of a question about one image: `prompt` tokens behind the image's, at most `new_tokens` of an
    /// answer; and checks its passes against the device's limits.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn check(&mut self, prompt: usize, new_tokens: usize) -> Result<()> {
        for pass in self.first_passes(prompt, new_tokens).await? {
            self.session.check(&pass).await?;
        }
        Ok(())
    }

    /// Has the plans and pipelines of such a question made, so that the first answer waits for none of it. Weights need
    /// not be there yet.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn prepare(&mut self, prompt: usize, new_tokens: usize) -> Result<()> {
        for pass in self.first_passes(prompt, new_tokens).await? {
            self.session.prepare(&pass).await?;
        }
        if let Some(images) = &self.images {
            images.prepare_place(&mut self.session, 0).await?;
        }
        Ok(())
    }

    /// Takes the memory of such a question; its passes.
    async fn first_passes(&mut self, prompt: usize, new_tokens: usize) -> Result<Vec<Pass>> {
        let ids = self.image_tokens() + prompt;
        let mut passes = Vec::new();
        if let Some(images) = &mut self.images {
            images.reserve(&mut self.session, 1).await?;
            passes.push(Pass::EncodeImage);
        }
        self.reserve(ids + new_tokens, 1).await?;
        passes.push(self.pass_over(ids, PassOutput::Greedy));
        passes.push(self.decoding(1, PassOutput::Greedy, None));
        Ok(passes)
    }

    /// Positions that are left for an answer.
    ///
    /// # Errors
    /// None: the model was trained on no more than such a prefix has.
    pub fn positions_after(&self, prefix: usize) -> Result<usize, SessionError> {
        let capacity = self.decoder.max_positions;
        match capacity.saturating_sub(prefix) {
            0 => Err(SessionError::TooLong { needed: prefix + 1, capacity }),
            left => Ok(left),
        }
    }

    /// Encodes images, each `[S, S, 3]` f32; their features stay on the device in the order given.
    ///
    /// # Errors
    /// An image of another size, a model that takes none, a failing device.
    pub async fn encode(&mut self, images: &[&[f32]]) -> Result<()> {
        // A cancelled call may have left passes behind.
        self.session.cancel_pending();
        match &mut self.images {
            Some(encoder) => encoder.encode(&mut self.session, images).await,
            None if images.is_empty() => Ok(()),
            None => Err(SessionError::NoImages.into()),
        }
    }

    /// Makes room for `tokens` positions in each of `slots` slots of the KV cache; forgets what it held if it grows.
    ///
    /// # Errors
    /// A device without the memory.
    pub async fn reserve(&mut self, tokens: usize, slots: usize) -> Result<()> {
        if self.cache.holds(tokens, slots) {
            return Ok(());
        }
        // What a cancelled call left behind is not to be played first.
        self.session.cancel_pending();
        // Nothing, until all of it is there. Where slots begin is another place then, in the same buffers too.
        self.cache = KvCache::default();
        self.session.unload(|key| matches!(key, PlanKey::Pass(Pass::Decoder(_)) | PlanKey::GatherSlots));
        // What is asked for now: one call may want many slots, and the next many positions.
        let cache = KvCache::of(tokens, slots);
        let pass = cache.decode_pass();
        self.session.reserve(&Pass::Decoder(pass)).await?;
        self.cache = cache;
        Ok(())
    }

    /// Fills slot 0 of the KV cache in one pass, and says what may come next: a prefix, whose tokens all see each
    /// other, and what of its answer is known already. Ids with the top bit set are rows of the encoded images.
    ///
    /// # Errors
    /// Ids that are not there, more than [`reserve`](Self::reserve) made room for, a failing device.
    pub async fn prefill(&mut self, prefix: &[u32], answer: &[u32], output: PassOutput) -> Result<Submitted> {
        self.session.cancel_pending();
        self.prefix = prefix.len();
        let ids = [prefix, answer].concat();
        let pass = self.write_ids(&ids, output).await?;
        let step = Step::one(0, ids.len() as u32, prefix.len() as u32, 0);
        self.submit(&pass, step, output).await
    }

    /// Log-probability of every token of `suffix` after `prefix`, in one pass.
    ///
    /// # Errors
    /// As [`prefill`](Self::prefill).
    pub async fn score(&mut self, prefix: &[u32], suffix: &[u32]) -> Result<Vec<f32>> {
        let Some((_, given)) = suffix.split_last() else { return Ok(Vec::new()) };
        let ids = [prefix, given].concat();
        self.reserve(ids.len(), 1).await?;
        let pass = self.write_ids(&ids, PassOutput::Score).await?;
        let first = prefix.len().saturating_sub(1);
        let mut targets = vec![0u32; first];
        targets.extend_from_slice(suffix);
        self.session.write(states::TARGETS, bytemuck::cast_slice(&targets))?;
        let step = Step::one(0, ids.len() as u32, prefix.len() as u32, 0);
        let read = StateRead::new(states::SCORES, first * 4..(first + suffix.len()) * 4);
        let bytes = self.session.submit(&pass, &step, &[read]).await?.await?;
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }

    /// Log-probability of every token of several suffixes, each after the same prefix: the prefix goes through once, and
    /// then the suffixes side by side, [`SCORED`] at a time.
    ///
    /// # Errors
    /// As [`prefill`](Self::prefill); a prefix without a token.
    pub async fn score_each(&mut self, prefix: &[u32], suffixes: &[Vec<u32>]) -> Result<Vec<Vec<f32>>> {
        let Some((&last, before)) = prefix.split_last() else { return Err(SessionError::EmptyPrompt.into()) };
        suffixes.iter().try_for_each(|suffix| self.check_ids(suffix))?;
        let longest = suffixes.iter().map(Vec::len).max().unwrap_or(0);
        let slots = suffixes.len().clamp(1, SCORED);
        self.reserve(before.len() + round_up(longest.max(1), SCORED_STEP), slots).await?;
        self.prefill(prefix, &[], PassOutput::Greedy).await?.result().await?;
        let slots = self.cache.slots;
        self.gather_slots(&vec![0; slots], 0..before.len()).await?;
        let mut scores = Vec::with_capacity(suffixes.len());
        for suffixes in suffixes.chunks(slots) {
            let tokens = round_up(suffixes.iter().map(Vec::len).max().unwrap_or(1).max(1), SCORED_STEP);
            let (mut ids, mut targets) = (vec![last; slots * tokens], vec![0; slots * tokens]);
            let mut sequences = Vec::with_capacity(suffixes.len());
            for (slot, suffix) in suffixes.iter().enumerate() {
                // The prefix's last token again: what comes after it is the first to be scored.
                let at = slot * tokens;
                ids[at + 1..]
                    .iter_mut()
                    .zip(suffix.iter().take(suffix.len().saturating_sub(1)))
                    .for_each(|(to, id)| *to = *id);
                targets[at..at + suffix.len()].copy_from_slice(suffix);
                let (position, slot) = (before.len() as u32, slot as u32);
                let (tokens, prefix) = (suffix.len() as u32, prefix.len() as u32);
                sequences.push(Sequence { position, tokens, prefix, slot, ..Default::default() });
            }
            let output = PassOutput::Score;
            let rows = self.images.as_ref().map_or(0, Images::rows);
            let pass = DecoderPass { sequences: slots, tokens, feature_rows: rows, output, ..self.cache.decode_pass() };
            let pass = Pass::Decoder(pass);
            self.session.prepare(&pass).await?;
            self.session.write(states::IDS, bytemuck::cast_slice(&ids))?;
            self.session.write(states::TARGETS, bytemuck::cast_slice(&targets))?;
            let read = StateRead::new(states::SCORES, 0..slots * tokens * 4);
            let step = Step::of(&sequences, tokens)?;
            let bytes = self.session.submit(&pass, &step, &[read]).await?.await?;
            let values: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
            scores.extend(
                suffixes.iter().zip(values.chunks_exact(tokens)).map(|(suffix, row)| row[..suffix.len()].to_vec()),
            );
        }
        Ok(scores)
    }

    /// Decodes the token in `next_ids` at `position` of slot 0: submitted when this returns, on a GPU not yet done.
    ///
    /// `ids` are those that may come next, if not all; they are for [`PassOutput::Greedy`].
    ///
    /// # Errors
    /// A position that [`reserve`](Self::reserve) made no room for, a failing device.
    pub async fn decode(
        &mut self,
        position: usize,
        output: PassOutput,
        ids: Option<Range<usize>>,
    ) -> Result<Submitted> {
        self.check_position(position)?;
        let step = Step::one(position as u32, 1, self.prefix as u32, 0);
        self.submit(&self.decoding(1, output, ids), step, output).await
    }

    /// Makes [`decode_each`](Self::decode_each) ready. What it leaves is larger than what one sequence leaves, so that
    /// plans made before are void after the first time: a prefill comes after this.
    ///
    /// # Errors
    /// A device without the memory or limits for it.
    pub async fn prepare_each(&mut self, output: PassOutput) -> Result<()> {
        self.session.prepare(&self.decoding(self.cache.slots, output, None)).await
    }

    /// Decodes a token of each of several sequences in one pass: each by the slot that it lives in, its position and
    /// the token. The weights are read once for all of them.
    ///
    /// # Errors
    /// More sequences or a higher position than [`reserve`](Self::reserve) made room for, a failing device.
    pub async fn decode_each(&mut self, sequences: &[(usize, usize, u32)], output: PassOutput) -> Result<Submitted> {
        let slots = self.cache.slots;
        let mut rows = Vec::with_capacity(sequences.len());
        for (n, &(slot, position, _)) in sequences.iter().enumerate() {
            self.check_position(position)?;
            if slot.max(n) >= slots {
                return Err(SessionError::MissingState(format!("slot {} of {slots}", slot.max(n))).into());
            }
            let (position, prefix, slot) = (position as u32, self.prefix as u32, slot as u32);
            rows.push(Sequence { position, tokens: 1, prefix, slot, ..Default::default() });
        }
        let pass = self.decoding(self.cache.slots, output, None);
        self.session.prepare(&pass).await?;
        let ids: Vec<u32> = sequences.iter().map(|&(.., id)| id).collect();
        self.session.write(states::NEXT_IDS, bytemuck::cast_slice(&ids))?;
        self.submit(&pass, Step::of(&rows, 1)?, output).await
    }

    fn check_position(&self, position: usize) -> Result<(), SessionError> {
        let capacity = self.cache.capacity;
        if position < capacity { Ok(()) } else { Err(SessionError::TooLong { needed: position + 1, capacity }) }
    }

    fn decoding(&self, sequences: usize, output: PassOutput, ids: Option<Range<usize>>) -> Pass {
        Pass::Decoder(DecoderPass { sequences, output, ids, ..self.cache.decode_pass() })
    }

    /// Sets the token that the next decode takes; greedy decoding leaves it on the device itself.
    ///
    /// # Errors
    /// No pass has run yet, or a failing device.
    pub fn set_next(&mut self, id: u32) -> Result<()> {
        self.session.write(states::NEXT_IDS, &id.to_le_bytes())
    }

    /// The logits `[V]` of the last pass.
    ///
    /// # Errors
    /// No pass has run yet, or a failing device.
    pub async fn logits(&mut self) -> Result<Vec<f32>> {
        let bytes = self.session.read(states::LOGITS, self.decoder.vocabulary * 4).await?;
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }

    /// Copies rows of the KV cache between slots: slot `s` gets `rows` of slot `sources[s]`, all in one pass.
    ///
    /// # Errors
    /// A source that is itself overwritten, a failing device.
    pub async fn gather_slots(&mut self, sources: &[usize], rows: Range<usize>) -> Result<()> {
        let step = Step::gather(sources, rows)?;
        let (cache, decode) = (self.cache, self.decoding(1, PassOutput::Greedy, None));
        let gather =
            |architecture: &dyn Architecture| Ok(cache.gather(&caches(architecture.build(&decode)?.states()))?);
        self.session.prepare_graph(&PlanKey::GatherSlots, gather).await?;
        self.session.play(&PlanKey::GatherSlots, &step, &[])?.await?;
        Ok(())
    }

    /// Checks and uploads the ids of a pass over several tokens; the pass.
    async fn write_ids(&mut self, ids: &[u32], output: PassOutput) -> Result<Pass> {
        let capacity = self.cache.capacity;
        if ids.is_empty() {
            return Err(SessionError::EmptyPrompt.into());
        }
        if ids.len() > capacity {
            return Err(SessionError::TooLong { needed: ids.len(), capacity }.into());
        }
        self.check_ids(ids)?;
        let pass = self.pass_over(ids.len(), output);
        self.session.prepare(&pass).await?;
        self.session.write(states::IDS, bytemuck::cast_slice(ids))?;
        Ok(pass)
    }

    /// Fails on an id that is neither in the vocabulary nor a row of the encoded images.
    fn check_ids(&self, ids: &[u32]) -> Result<(), SessionError> {
        let vocabulary = self.decoder.vocabulary;
        let rows = self.images.as_ref().map_or(0, Images::rows);
        let known = |id: u32| id >> 31 == 1 && ((id & !(1 << 31)) as usize) < rows || (id as usize) < vocabulary;
        match ids.iter().find(|&&id| !known(id)) {
            Some(&id) => Err(SessionError::UnknownToken { id, vocabulary }),
            None => Ok(()),
        }
    }

    /// A pass over several tokens. A pass of one row is a decode; padding keeps the number of recordings small.
    fn pass_over(&self, tokens: usize, output: PassOutput) -> Pass {
        let tokens = round_up(tokens, if tokens <= 512 { 32 } else { 128 });
        let rows = self.images.as_ref().map_or(0, Images::rows);
        Pass::Decoder(DecoderPass { tokens, feature_rows: rows, output, ..self.cache.decode_pass() })
    }

    async fn submit(&mut self, pass: &Pass, step: Step, output: PassOutput) -> Result<Submitted> {
        let sequences = step.sequences().len();
        let choice = StateRead::new(states::CHOICE, 0..sequences * CHOICE_WORDS * 4);
        let (pending, top_k) = match output {
            PassOutput::TopK(k) => {
                let reads = [choice, StateRead::new(states::TOP_K, 0..sequences * k * 8)];
                (self.session.submit(pass, &step, &reads).await?, k)
            }
            PassOutput::Greedy | PassOutput::Score => (self.session.submit(pass, &step, &[choice]).await?, 0),
        };
        let positions = step.sequences().iter().map(|row| (row.position + row.tokens) as usize).collect();
        Ok(Submitted { pending, positions, top_k })
    }
}
