"""Beam search and sampling-filter goldens."""

import torch
from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

import taps


def beams(model, ids, picture, label, greedy):
    """Beam search under the three stopping rules of transformers' generate."""
    rows = []
    # With several end tokens, taken from the greedy reply, beams finish early and the rules differ.
    several = [taps.EOS, greedy[1], greedy[2], greedy[3], greedy[4]]
    settings = [(3, 1.0, rule, 12, [taps.EOS]) for rule in (False, True, "never")]
    settings += [(2, 0.0, False, 12, [taps.EOS]), (4, 2.0, True, 10, [taps.EOS]), (2, 1.0, False, 6, [taps.EOS])]
    settings += [(2, penalty, rule, 12, several) for rule in (False, True, "never") for penalty in (2.0, 0.3, -1.0)]
    for count, penalty, stopping, steps, ends in settings:
        out = taps.generate(
            model, ids, picture, num_beams=count, length_penalty=penalty, early_stopping=stopping,
            max_new_tokens=steps, num_return_sequences=count, eos_token_id=ends,
        )
        hypotheses = []
        for sequence, score in zip(out.sequences[:, len(ids):].tolist(), out.sequences_scores.tolist()):
            first_end = next((i for i, token in enumerate(sequence) if token in ends), len(sequence))
            sequence = sequence[: first_end + 1]
            hypotheses.append({"ids": sequence, "score": score})
        rows.append({
            "case": label, "num_beams": count, "length_penalty": penalty, "early_stopping": stopping,
            "max_new_tokens": steps, "eos_token_ids": ends, "hypotheses": hypotheses,
        })
        print("  beams", count, penalty, stopping, len(ends), [(len(h["ids"]), round(h["score"], 4), h["ids"][-1] in ends) for h in hypotheses])
    return rows


def warped(logits, label):
    """Probabilities left after temperature, then top-k, then top-p, from the first logits of a case."""
    rows = []
    for temperature, top_k, top_p in [(1.0, 0, 1.0), (0.7, 0, 1.0), (1.0, 5, 1.0), (1.0, 0, 0.5), (0.7, 10, 0.8), (1.3, 40, 0.9), (1.0, 1, 1.0), (1.0, 0, 0.01)]:
        chain = LogitsProcessorList()
        if temperature != 1.0:
            chain.append(TemperatureLogitsWarper(temperature))
        if top_k:
            chain.append(TopKLogitsWarper(top_k))
        if top_p < 1.0:
            chain.append(TopPLogitsWarper(top_p))
        p = torch.softmax(chain(None, logits[None].clone())[0].double(), -1)
        order = [i for i in p.argsort(descending=True).tolist() if p[i] > 0]
        rows.append({
            "case": label, "temperature": temperature, "top_k": top_k, "top_p": top_p, "kept": len(order),
            "ids": order[:64], "probabilities": [p[i].item() for i in order[:64]],
        })
    return rows
