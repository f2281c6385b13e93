#!/usr/bin/env python3
"""Measure a model by hard decisions: compression ratio by head, cells kept, recall and perplexity.

    python3 measure.py --ckpt run/held4.3.pt --out run/measured4.json
    python3 measure.py --out run/base.json                       # the base model, nothing evicted

Recall: questions of models/demo/eval_project; one is right when every token of its answer (and the closing <|end|>) is the
arg-max after the tokens before it, which is what greedy decoding would write. Perplexity: windows of held-out books.
The share of marked tokens and of kept cells is measured on the documents of the questions; that of each head on the longest ones.
"""
import argparse
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

import dms
from student import load_gguf
from paths import CORPUS, HERE

RECALL = os.path.join(HERE, "..", "models", "demo", "eval_project", "recall_%d.jsonl")
PERPLEXITY_LENGTH = 2048


class Tally:
    """Marked shares by layer and head, and cells that are still there at the end of a text."""

    def __init__(self, rule):
        self.rule, self.marked, self.counted, self.kept, self.cells = rule, 0, 0, 0, 0

    def add(self, alphas):
        """alphas: decisions [1, K, T] by layer over one text."""
        a = torch.stack(alphas)[:, 0]                                     # [layers, K, T]
        may = dms.eligible(self.rule, a.shape[2])
        self.marked = self.marked + a[..., may].sum(-1)
        self.counted += int(may.sum())
        self.kept += a.numel() - float(a[..., may].sum())
        self.cells += a.numel()

    def closed(self):
        return (self.marked / self.counted).tolist()


@torch.no_grad()
def ask(model, tok, document, decide):
    """-> (right answers by kind, alphas of the document)."""
    prefix = tok.encode(document["prefix"], bos=True)
    _, alphas, state = model.forward_dms(torch.tensor([prefix]), decide)
    rows = [(tok.encode(q["prompt"]), tok.encode(q["answer"]) + [tok.end]) for q in document["questions"]]
    width = max(len(prompt) + len(answer) for prompt, answer in rows)
    ids = torch.tensor([prompt + answer + [tok.end] * (width - len(prompt) - len(answer)) for prompt, answer in rows])
    hidden, _, _ = model.forward_dms(ids, decide, state)
    got = model.logits(hidden).argmax(-1).view(len(rows), width).tolist()
    right = [(q["kind"], got[i][len(prompt) - 1:len(prompt) - 1 + len(answer)] == answer)
             for i, (q, (prompt, answer)) in enumerate(zip(document["questions"], rows))]
    return right, alphas


def recall(model, tok, length, documents, decide):
    """-> ({kind: [right, asked]}, Tally) over the first documents of a length."""
    score, tally = {}, Tally(model.rule)
    with open(RECALL % length, encoding="utf-8") as f:
        for _, line in zip(range(documents), f):
            right, alphas = ask(model, tok, json.loads(line), decide)
            tally.add(alphas)
            for kind, good in right:
                row = score.setdefault(kind, [0, 0])
                row[0] += good
                row[1] += 1
    return score, tally


@torch.no_grad()
def perplexity(model, windows, decide):
    """Perplexity over windows of held-out books, and the ratio among the tokens of theirs that may be evicted."""
    ids, total, closed = np.fromfile(os.path.join(CORPUS, "val.bin"), np.uint16), 0.0, []
    n = PERPLEXITY_LENGTH
    may = dms.eligible(model.rule, n)
    for at in np.linspace(0, len(ids) - n - 1, windows).astype(int):
        x = torch.from_numpy(ids[at:at + n + 1].astype(np.int64))[None]
        hidden, alphas, _ = model.forward_dms(x[:, :-1], decide)
        total += float(F.cross_entropy(model.logits(hidden), x[0, 1:]))
        closed.append(float(torch.stack(alphas)[..., may].mean()))
    return math.exp(total / windows), 1 / (1 - float(np.mean(closed)) + 1e-9)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default=os.path.join(HERE, "..", "models", "demo", "demo-f16.gguf"))
    parser.add_argument("--ckpt", default="", help="retrofitted checkpoint; without it the base model is measured")
    parser.add_argument("--keep-all", action="store_true", help="of a retrofitted model: nothing is evicted")
    parser.add_argument("--control", action="store_true", help="the checkpoint is an ordinary model")
    parser.add_argument("--lengths", type=int, nargs="+", default=[1024, 2048, 4096, 8000])
    parser.add_argument("--documents", type=int, default=10, help="documents of each length, 20 questions each")
    parser.add_argument("--windows", type=int, default=24, help="windows of %d tokens for perplexity" % PERPLEXITY_LENGTH)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    saved = torch.load(args.ckpt, map_location="cpu") if args.ckpt else None
    model, tok = load_gguf(args.base, dms.Rule(**saved["rule"]) if saved else dms.Rule())
    retrofitted = bool(saved) and not args.control
    decide = dms.hard if retrofitted and not args.keep_all else None
    model.gate = 0.0 if retrofitted else 1.0                              # in an ordinary model it is a feature
    if saved:
        model.load_state_dict(saved["model"])
    result = {"checkpoint": os.path.basename(args.ckpt), "recall": {}, "kept": {}, "by_length": {}}
    if args.windows:
        result["perplexity"], result["prose_cr"] = perplexity(model, args.windows, decide)
        print("perplexity %.3f, ratio on prose %.2f" % (result["perplexity"], result["prose_cr"]), flush=True)
    for length in args.lengths:
        score, tally = recall(model, tok, length, args.documents, decide)
        result["recall"][length], result["kept"][length] = score, tally.kept / tally.cells
        closed = tally.closed()
        result["by_length"][length] = 1 / (1 - float(np.mean(closed)) + 1e-9)
        if length == max(args.lengths):
            result["closed"] = closed
        print("%5d  recall %d/%d  %s  ratio %.2f  cells kept %.3f" % (
            length, *(sum(x[i] for x in score.values()) for i in (0, 1)),
            " ".join("%s %d/%d" % (k, *score[k]) for k in sorted(score)), result["by_length"][length], result["kept"][length]),
            flush=True)
        with open(args.out, "w", encoding="utf-8") as f:
            json.dump(result, f, indent=1)


if __name__ == "__main__":
    main()
