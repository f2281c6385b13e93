#!/usr/bin/env python3
"""Average a retrofitted checkpoint with its base, and move its threshold until the measured ratio is the one asked for.

    python3 calibrate.py --ckpt run/held4.3.pt --ratio 4 --out run/dms4.pt

Averaging (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", arXiv 2109.01903) gives back what training at short lengths took:
every weight but the rows of the neuron moves towards the base's.

The offset c is the one knob: a larger one marks fewer tokens of every head. It is set so that, over the documents of
models/demo/eval_project of one length, the share of marked tokens among those that may be evicted is 1 - 1 / ratio.
Decisions of lower layers change the logits of higher ones, so it is set again with the decisions it leads to.
"""
import argparse
import json
from dataclasses import replace

import torch

import dms
from measure import RECALL
from student import load_gguf
from paths import HERE

ROUNDS, TOLERANCE = 8, 0.003


@torch.no_grad()
def logits_of(model, documents):
    """Logits of all tokens that may be evicted, with the model's present offset in force -> one vector."""
    found = []

    def decide(logits):
        found.append(logits[..., dms.eligible(model.rule, logits.shape[-1])].flatten())
        return dms.hard(logits)

    for ids in documents:
        model.forward_dms(ids, decide)
    return torch.cat(found)


@torch.no_grad()
def average(model, base, share):
    """Every weight of the model becomes base + share * (model - base), but the neuron's rows stay as they are."""
    rows = [(matrix, row, matrix[row].clone()) for matrix, row in model.neuron_rows()]
    for ours, theirs in zip(model.parameters(), base.parameters()):
        ours.copy_(theirs + share * (ours - theirs))
    for matrix, row, values in rows:
        matrix[row] = values


def calibrate(model, documents, ratio):
    """Sets the offset of the model's rule -> measured ratio."""
    for _ in range(ROUNDS):
        logits = logits_of(model, documents)
        marked = float((logits > 0).float().mean())
        print("offset %.3f  ratio %.3f" % (model.rule.offset, 1 / (1 - marked)), flush=True)
        shift = float(torch.sort(logits).values[round(len(logits) / ratio)])
        if abs(marked - (1 - 1 / ratio)) < TOLERANCE / ratio or shift == 0:      # 0: more tokens tie at the threshold
            break
        model.rule = replace(model.rule, offset=model.rule.offset + shift)
    return 1 / (1 - marked)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default=HERE + "/../models/demo/demo-f16.gguf")
    parser.add_argument("--ckpt", required=True)
    parser.add_argument("--ratio", type=float, required=True)
    parser.add_argument("--share", type=float, default=0.25, help="of the checkpoint in the average with the base; 1: no average")
    parser.add_argument("--length", type=int, default=4096, help="of the documents")
    parser.add_argument("--documents", type=int, default=4)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    saved = torch.load(args.ckpt, map_location="cpu")
    model, tok = load_gguf(args.base, dms.Rule(**saved["rule"]))
    model.load_state_dict(saved["model"])
    average(model, load_gguf(args.base, model.rule)[0], args.share)
    with open(RECALL % args.length, encoding="utf-8") as f:
        lines = [json.loads(line)["prefix"] for _, line in zip(range(args.documents), f)]
    calibrate(model, [torch.tensor([tok.encode(text, bos=True)]) for text in lines], args.ratio)
    saved.update(model=model.state_dict(), rule=model.rule.dict(), ratio=args.ratio)
    del saved["optimizer"]
    torch.save(saved, args.out)


if __name__ == "__main__":
    main()
