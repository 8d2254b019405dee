//! `ocelli weigh`: what a pack takes on a device, for the run at full size.

use ocelli::base::Result;
use ocelli::session::{MemoryUse, Player};
use ocelli::tasks::{GenerateOptions, Request};
use serde::Serialize;

use super::args::WeighArgs;
use super::{interrupt, json, run};

#[derive(Serialize)]
struct Weighed {
    device: &'static str,
    adapter: String,
    max_binding_bytes: usize,
    /// Rows of each buffer of the embedding, which is the largest weight.
    table_rows: Vec<usize>,
    load_ms: f64,
    /// As the layout of the weights says.
    weights_bytes: usize,
    /// All buffers of the device once the weights are there.
    loaded_bytes: usize,
    /// After an answer of one token, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<Answered>,
}

#[derive(Serialize)]
struct Answered {
    kv_bytes: usize,
    activation_bytes: usize,
    encode_ms: f64,
    prefill_ms: f64,
}

pub async fn weigh(args: &WeighArgs) -> Result<()> {
    let cancel = interrupt::token()?;
    let player = Player::open(args.device.choice(), &args.device.options()).await?;
    let (mut model, load_ms) = run::load(run::files(Some(&args.pack))?.as_ref(), player, None, &cancel, true).await?;
    let MemoryUse { weights_bytes, kv_bytes, activation_bytes } = model.memory();
    let loaded_bytes = weights_bytes + kv_bytes + activation_bytes;
    let answered = match &args.image {
        None => None,
        Some(path) => {
            let pictures = [run::picture(path)?];
            let options = GenerateOptions { max_new_tokens: Some(1), ..GenerateOptions::default() };
            let request = Request { pictures: &pictures, prompt: "caption en", options: &options };
            let timings = model.generate(request, &cancel.clone().into(), &mut |_| ()).await?.timings;
            let MemoryUse { kv_bytes, activation_bytes, .. } = model.memory();
            let (encode_ms, prefill_ms) = (timings.encode_ms, timings.prefill_ms);
            Some(Answered { kv_bytes, activation_bytes, encode_ms, prefill_ms })
        }
    };
    let player = model.player();
    Ok(json::print(&Weighed {
        device: player.device(),
        adapter: player.adapter(),
        max_binding_bytes: player.capabilities().max_binding_bytes,
        table_rows: model.weight_rows("decoder.embed"),
        load_ms,
        weights_bytes,
        loaded_bytes,
        answered,
    })?)
}
