#!/usr/bin/env python3
"""Evaluate a checkpoint: perplexity of held-out prose and exact-match accuracy of the generated tasks.

    python3 evaluate.py [--ckpt out/ckpt.pt] [--lengths 256,512,1024,2048,4096,8192] [--out out/eval.json]

An answer counts when every one of its tokens (and the closing <|end|>) is the arg-max given the tokens before it,
which is the same as greedy decoding producing exactly the answer. The "quote" task (going on with a passage whose
beginning is repeated) is counted token by token.
"""
import argparse
import json
import math
import os

import numpy as np
import torch

from heldout import EVAL_TASKS, eval_sample, quote_sample
from maker import Maker
from model import Config, Llama
from paths import CHECKPOINT, EVAL_DATA, OUT, load_tokenizer


def fresh_samples(tok, held_out, length, per_task, seed=1):
    """Samples of every task, made now from the held-out tokens."""
    maker = Maker(tok, held_out, seed=seed + length)
    for task in list(EVAL_TASKS) + ["quote"]:
        for _ in range(per_task):
            yield quote_sample(maker, length) if task == "quote" else eval_sample(maker, task, length)


def stored_samples(path, per_task):
    """The first samples of every task in a file of `heldout.py build`."""
    count = {}
    with open(path, encoding="utf-8") as f:
        for sample in map(json.loads, f):
            count[sample["task"]] = count.get(sample["task"], 0) + 1
            if count[sample["task"]] <= per_task:
                yield sample


@torch.no_grad()
def accuracy(model, tok, samples, device):
    """{task: [right, asked]}; "quote" counts tokens."""
    hits, embedding = {}, model.emb.to(torch.bfloat16)
    for sample in samples:
        quote = sample["task"] == "quote"
        prompt = tok.encode(sample["prompt"], bos=True)
        answer = tok.encode(sample["answer"]) + ([] if quote else [tok.end])
        hidden = model.hidden(torch.tensor([prompt + answer], device=device))
        got = (hidden[len(prompt) - 1:-1] @ embedding.t()).argmax(-1).cpu().tolist()
        row = hits.setdefault(sample["task"], [])
        row += [x == y for x, y in zip(got, answer)] if quote else [got == answer]
    return {task: [sum(row), len(row)] for task, row in hits.items()}


@torch.no_grad()
def perplexity(model, ids, n, device, limit=65536):
    """Perplexity over windows of n tokens (each starts with BOS), and over the last quarter of the windows."""
    total = last = 0.0
    count = last_count = 0
    for i in range(0, min(len(ids), limit) - n + 1, n - 1):
        x = torch.tensor([[0] + ids[i:i + n]], device=device)
        _, ce = model.loss(x[:, :-1], x[:, 1:], torch.ones(1, n, device=device))
        total += float(ce.sum())
        count += n
        last += float(ce[-n // 4:].sum())
        last_count += len(ce[-n // 4:])
    return math.exp(total / count), math.exp(last / last_count)


@torch.no_grad()
def prose_loss(model, held_out, n, count, device):
    """Mean loss per token over about `count` windows of n tokens, spread over the held-out books."""
    total, tokens = 0.0, 0
    step = max(n, (len(held_out) - n - 1) // count)
    for i in range(0, len(held_out) - n - 1, step):
        ids = torch.from_numpy(held_out[i:i + n + 1].astype(np.int64))[None].to(device)
        _, ce = model.loss(ids[:, :-1], ids[:, 1:], torch.ones(1, n, device=device))
        total += float(ce.sum())
        tokens += n
    return total / tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ckpt", default=CHECKPOINT)
    parser.add_argument("--lengths", default="256,512,1024,2048,4096,8192")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--per-task", type=int, default=1000, help="at most this many samples of a task")
    parser.add_argument("--out", default=os.path.join(OUT, "eval.json"))
    args = parser.parse_args()
    state = torch.load(args.ckpt, map_location=args.device)
    model = Llama(Config(**state["config"])).to(args.device)
    model.load_state_dict(state["model"])
    tok = load_tokenizer()
    with open(os.path.join(EVAL_DATA, "prose.txt"), encoding="utf-8") as f:
        text = f.read()
    ids = tok.encode(text)
    result = {"step": state["step"], "Mtok": round(state["tokens"] / 1e6, 2), "perplexity": {}, "accuracy": {}}
    print("checkpoint: step %d, %.1fM tokens; prose %d tokens, %.2f characters per token"
          % (state["step"], state["tokens"] / 1e6, len(ids), len(text) / len(ids)), flush=True)
    for n in map(int, args.lengths.split(",")):
        all_windows, last_quarter = perplexity(model, ids, n, args.device)
        result["perplexity"][n] = [round(all_windows, 2), round(last_quarter, 2)]
        samples = stored_samples(os.path.join(EVAL_DATA, "tasks_%d.jsonl" % n), args.per_task)
        result["accuracy"][n] = accuracy(model, tok, samples, args.device)
        print("%5d  perplexity %.2f (last quarter %.2f)  " % (n, all_windows, last_quarter)
              + "  ".join("%s %d/%d" % (k, v[0], v[1]) for k, v in result["accuracy"][n].items()), flush=True)
        with open(args.out, "w", encoding="utf-8") as f:
            json.dump(result, f, indent=1)


if __name__ == "__main__":
    main()
