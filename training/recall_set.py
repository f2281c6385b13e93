#!/usr/bin/env python3
"""Paired recall questions: documents of a given length, each with many questions that share its prefix.

    python3 recall_set.py --seed 71 --documents 25 --questions 20 --out eval_data

Writes recall_<length>.jsonl, one document a line:
    {"length": 4096, "prefix": "<|user|>\\n...<|end|>\\n<|assistant|>\\nI have read the text.<|end|>\\n",
     "questions": [{"kind": "fact" | "key" | "absent", "prompt": "<|user|>\\nQ<|end|>\\n<|assistant|>\\n",
                    "answer": "...", "value": "..."}]}
A question is asked as prefix + prompt; it counts as right when `value` is in the greedy answer (up to <|end|>).
"""
import argparse
import json
import os

from heldout import load_held_out_tokens
from maker import Maker
from paths import EVAL_DATA, load_tokenizer
from tasks import absent, digits, facts_and_questions, people

LENGTHS = [1024, 2048, 4096, 8000]


def document(maker, length, questions):
    """One document of about `length` tokens: half fact questions, three tenths passkeys, the rest about absent facts."""
    rng = maker.rng
    facts, qa, seen = facts_and_questions(rng, 16)
    names = people(rng, 12)
    keys = ["The passkey of %s is %s." % (n, digits(rng, 5)) for n in names if ("passkey", n) not in seen]
    asked = [("fact", q, a, v) for q, a, v in rng.sample(qa, min(len(qa), questions // 2))]
    asked += [("key", "What is the passkey of %s?" % k.split()[3], k, k.split()[-1][:-1])
              for k in rng.sample(keys, min(len(keys), questions * 3 // 10))]
    seen |= {("passkey", k.split()[3]) for k in keys}
    while len(asked) < questions:
        asked.append(("absent", *absent(rng, seen)))
    all_facts = facts + keys
    rng.shuffle(all_facts)
    body = [i for ids, _ in maker.haystack(length - 40, all_facts) for i in ids]
    text = maker.tok.decode(body).lstrip()
    rng.shuffle(asked)
    return {"length": length,
            "prefix": "<|user|>\n" + text + "<|end|>\n<|assistant|>\nI have read the text.<|end|>\n",
            "questions": [{"kind": kind, "prompt": "<|user|>\n" + q + "<|end|>\n<|assistant|>\n", "answer": a, "value": v}
                          for kind, q, a, v in asked]}


def lines(tok, filler, length, documents, questions, seed):
    """The lines of recall_<length>.jsonl."""
    maker = Maker(tok, filler, seed=seed + length)
    for _ in range(documents):
        yield json.dumps(document(maker, length, questions), ensure_ascii=False) + "\n"


def add_arguments(parser, out):
    parser.add_argument("--seed", type=int, default=71)
    parser.add_argument("--documents", type=int, default=25, help="documents of each length")
    parser.add_argument("--questions", type=int, default=20, help="questions to each document")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--out", default=out)


def write(tok, filler, args):
    """recall_<length>.jsonl for every length of the arguments."""
    os.makedirs(args.out, exist_ok=True)
    for length in args.lengths:
        with open(os.path.join(args.out, "recall_%d.jsonl" % length), "w", encoding="utf-8", newline="\n") as f:
            f.writelines(lines(tok, filler, length, args.documents, args.questions, args.seed))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, EVAL_DATA)
    write(load_tokenizer(), load_held_out_tokens(), parser.parse_args())


if __name__ == "__main__":
    main()
