"""Runs one case through Hugging Face transformers and records what happened inside."""

import torch
import torch.nn.functional as F

EOS = 1


def visible(i, j, prefix, window):
    """Whether query i sees key j: prefix-LM; `window` is None on full-attention layers."""
    in_window = window is None or j > i - window
    return (j <= i and in_window) or (i < prefix and j < prefix)


def hook_all(model, store):
    """Registers a hook on every tapped module; outputs are appended to store[name]."""
    tower, decoder = model.model.vision_tower, model.model.language_model
    tower = getattr(tower, "vision_model", tower)
    modules = {"vision/embeddings": tower.embeddings, "vision/post_layernorm": tower.post_layernorm,
               "projector": model.model.multi_modal_projector, "decoder/final_norm": decoder.norm}
    for i, layer in enumerate(tower.encoder.layers):
        modules[f"vision/layer_{i}"] = layer
    modules["vision/layer_0/attention"] = tower.encoder.layers[0].self_attn
    modules["vision/layer_0/mlp"] = tower.encoder.layers[0].mlp
    for i, layer in enumerate(decoder.layers):
        modules[f"decoder/layer_{i}"] = layer
    modules["decoder/layer_0/attention"] = decoder.layers[0].self_attn
    modules["decoder/layer_0/mlp"] = decoder.layers[0].mlp

    def recorder(name):
        def hook(_module, _args, output):
            value = output[0] if isinstance(output, tuple) else output
            store.setdefault(name, []).append(value.detach().clone())
        return hook

    handles = [m.register_forward_hook(recorder(n)) for n, m in modules.items()]

    def before(index):
        def hook(_module, args, kwargs):
            mask = kwargs["attention_mask"]
            store.setdefault(f"mask_{index}", []).append(None if mask is None else (mask[0, 0] == 0).clone())
            if index == 0:
                store.setdefault("decoder/input_embeddings", []).append(args[0].detach().clone())
        return hook

    handles += [l.register_forward_pre_hook(before(i), with_kwargs=True) for i, l in enumerate(decoder.layers)]
    return handles


def windows(model):
    """Returns the sliding window of every decoder layer, None where attention is full."""
    text = model.config.text_config
    types = getattr(text, "layer_types", None) or ["full_attention"] * text.num_hidden_layers
    return [text.sliding_window if t == "sliding_attention" else None for t in types]


def check_masks(model, store, call, prefix, queries, keys):
    """Asserts that the masks transformers built are exactly `visible`."""
    for i, window in enumerate(windows(model)):
        got = store[f"mask_{i}"][call]
        want = torch.tensor([[visible(q, k, prefix, window) for k in keys(window)] for q in queries])
        if got is None:
            assert want.all(), f"layer {i}: no mask was built but some keys are hidden"
        else:
            assert torch.equal(got, want), f"layer {i} call {call}: mask differs from the stated rule"


@torch.no_grad()
def full_pass(model, ids, pixels, prefix):
    """One pass without a cache over prefix + suffix; returns logits [T, V]."""
    types = torch.zeros(1, len(ids), dtype=torch.long)
    types[:, prefix:] = 1
    ids = torch.tensor([ids])
    out = model(input_ids=ids, pixel_values=pixels, token_type_ids=types, attention_mask=torch.ones_like(ids), use_cache=False)
    return out.logits[0]


@torch.no_grad()
def generate(model, ids, pixels, **kwargs):
    """Cached generation from one prompt."""
    ids = torch.tensor([ids])
    return model.generate(
        input_ids=ids, pixel_values=pixels, token_type_ids=torch.zeros_like(ids), attention_mask=torch.ones_like(ids),
        do_sample=False, return_dict_in_generate=True, output_scores=True, output_logits=kwargs.get("num_beams", 1) == 1, **kwargs,
    )


@torch.no_grad()
def forced_decode(model, ids, pixels, suffix):
    """Prefill, then the suffix one token at a time through the cache; returns logits [S + 1, V]."""
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config.get_text_config())
    tensor = torch.tensor([ids])
    out = model(input_ids=tensor, pixel_values=pixels, token_type_ids=torch.zeros_like(tensor),
                attention_mask=torch.ones_like(tensor), past_key_values=cache, use_cache=True)
    rows = [out.logits[0, -1]]
    for k, token in enumerate(suffix):
        out = model(input_ids=torch.tensor([[token]]), attention_mask=torch.ones(1, len(ids) + k + 1, dtype=torch.long),
                    past_key_values=cache, use_cache=True)
        rows.append(out.logits[0, -1])
    return torch.stack(rows)


def run_greedy(model, ids, pixels, steps):
    """Greedy ids with eos, checked against passes without a cache; returns (record, logits, taps)."""
    store = {}
    handles = hook_all(model, store)
    out = generate(model, ids, pixels, max_new_tokens=steps)
    for h in handles:
        h.remove()
    prefix = len(ids)
    check_masks(model, store, 0, prefix, range(prefix), lambda _w: range(prefix))
    chosen = out.sequences[0, prefix:].tolist()
    for call in range(1, len(chosen)):
        position = prefix + call - 1
        first = lambda w: 0 if w is None else max(position - w + 1, 0)
        check_masks(model, store, call, prefix, [position], lambda w: range(first(w), position + 1))

    logits = torch.stack([row[0] for row in out.logits]).float()
    store = {}
    handles = hook_all(model, store)
    whole = full_pass(model, ids + chosen[:-1], pixels, prefix)[prefix - 1 :]
    for h in handles:
        h.remove()
    total = prefix + len(chosen) - 1
    check_masks(model, store, 0, prefix, range(total), lambda _w: range(total))
    difference = (whole - logits).abs().max().item()
    assert whole.argmax(-1).tolist() == chosen, "cached greedy and the pass without a cache disagree"

    store = {}
    handles = hook_all(model, store)
    first = full_pass(model, ids, pixels, prefix)[-1]
    for h in handles:
        h.remove()
    taps = {k: v[0] for k, v in store.items() if not k.startswith("mask_")}
    log_probs = F.log_softmax(logits.double(), -1)
    top = logits.topk(2, -1)
    record = {
        "greedy_ids": chosen,
        "stop": "eos" if chosen[-1] == EOS else "length",
        "logprobs": [log_probs[i, t].item() for i, t in enumerate(chosen)],
        "margins": (top.values[:, 0] - top.values[:, 1]).tolist(),
        "second_ids": top.indices[:, 1].tolist(),
        "logits_std": logits.std(-1).tolist(),
        "cached_against_full_max_abs": difference,
        "cached_against_prefill_max_abs": (first - logits[0]).abs().max().item(),
    }
    return record, logits, taps
