#!/usr/bin/env python3
"""Held-out evaluation samples, made of books that training never saw.

    python3 heldout.py build                                  # -> eval_data/tasks_<length>.jsonl, eval_data/prose.txt
    python3 heldout.py show --task multihop --length 256      # look at three samples
"""
import argparse
import json
import os
import random

import numpy as np

from maker import Maker
from paths import CORPUS, EVAL_DATA, load_tokenizer
from tasks import DONT_KNOW, Task, absent, facts_and_questions, t_kv, t_multihop, t_multikey, t_passkey, t_recall, t_vartrack

EVAL_TASKS = {
    "passkey": lambda rng, n: t_passkey(rng, n),
    "multikey": lambda rng, n: t_multikey(rng, n, n=8, plain=1),
    "facts": lambda rng, n: t_recall(rng, n, n=8, plain=1),
    "kv": lambda rng, n: t_kv(rng, n, n=16, plain=1),
    "multihop": lambda rng, n: t_multihop(rng, n, plain=1),
    "vartrack": lambda rng, n: t_vartrack(rng, n, plain=1),
    "absent": None,
}


def eval_sample(maker, task, n):
    """One chat-format sample of about n tokens: ids of the prompt, expected answer, value."""
    rng = maker.rng
    if task == "absent":
        facts, qa, seen = facts_and_questions(rng, 8)
        t = Task(facts, [absent(rng, seen)])
    else:
        t = EVAL_TASKS[task](rng, n)
        t.turns = [x for x in t.turns if x[1] != DONT_KNOW][:1]
        if not t.turns:
            return eval_sample(maker, task, n)
    parts = maker.parts(t, n, "chat")
    prompt = []
    for ids, cls in parts:
        if cls == "a":
            break
        prompt += ids
    q, a, v = t.turns[0]
    return {"task": task, "length": n, "prompt": maker.tok.decode(prompt[1:]), "answer": a, "value": v, "prompt_tokens": len(prompt)}


def quote_sample(maker, n):
    """Natural induction: repeat the start of an earlier passage; the continuation is known."""
    m, cue, want = 64, 16, 24
    c = maker.chunk(n).tolist()
    at = maker.rng.randrange(0, max(1, n - m - 80))
    prompt = [maker.tok.eot] + c[:n - cue] + c[at:at + cue]
    return {"task": "quote", "length": n, "prompt": maker.tok.decode(prompt[1:]), "answer": maker.tok.decode(c[at + cue:at + cue + want]),
            "value": maker.tok.decode(c[at + cue:at + cue + want]), "prompt_tokens": len(prompt)}


def load_held_out_tokens():
    return np.fromfile(os.path.join(CORPUS, "val.bin"), np.uint16)


def build(tok, folder, lengths=(256, 512, 1024, 2048, 4096, 8192), per_task=24):
    """One file of samples a length, and 50,000 characters of each held-out book for perplexity."""
    os.makedirs(folder, exist_ok=True)
    maker = Maker(tok, load_held_out_tokens(), seed=20240)
    for n in lengths:
        count = per_task if n <= 4096 else max(8, per_task // 2)
        with open(os.path.join(folder, "tasks_%d.jsonl" % n), "w", encoding="utf-8") as f:
            for task in list(EVAL_TASKS) + ["quote"]:
                for _ in range(count):
                    sample = quote_sample(maker, n) if task == "quote" else eval_sample(maker, task, n)
                    f.write(json.dumps(sample, ensure_ascii=False) + "\n")
    with open(os.path.join(CORPUS, "val.txt"), encoding="utf-8") as f:
        books = f.read().split("\x00")
    with open(os.path.join(folder, "prose.txt"), "w", encoding="utf-8") as f:
        f.write("\n".join(text[20000:70000].split("\n\n", 1)[1].rsplit("\n\n", 1)[0] + "\n" for text in books))


def show(tok, task, length):
    """Print three samples: of one task, or of the training mixture."""
    maker = Maker(tok, load_held_out_tokens(), seed=random.randrange(1 << 30))
    for _ in range(3):
        if task:
            sample = quote_sample(maker, length) if task == "quote" else eval_sample(maker, task, length)
            print(json.dumps(sample, indent=1))
        else:
            ids, weights = maker.sequence(length, 1.0)
            print("-" * 40, "mean weight %.2f" % weights.mean())
            print(tok.decode(ids))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build")
    show_parser = commands.add_parser("show")
    show_parser.add_argument("--task", default="", choices=[""] + list(EVAL_TASKS) + ["quote"])
    show_parser.add_argument("--length", type=int, default=256)
    args = parser.parse_args()
    if args.command == "build":
        build(load_tokenizer(), EVAL_DATA)
    else:
        show(load_tokenizer(), args.task, args.length)


if __name__ == "__main__":
    main()
