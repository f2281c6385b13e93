#!/usr/bin/env python3
"""Evaluation data that may be shipped: its filler is text that the demo model wrote itself.

    python3 project_eval.py --filler ../models/demo/eval_project/filler.txt --out eval_project
    python3 project_eval.py --filler ../models/demo/eval_project/filler.txt --out eval_project --reference

Writes recall_<length>.jsonl (format: recall_set.py) and, with --reference, reference.json (format: reference.py; needs
out/ckpt.pt). No book text is in it: perplexity on such filler says nothing about language, the divergence from the
lossless run does.
"""
import argparse
import os

import numpy as np

import recall_set
import reference
from maker import Maker
from paths import CHECKPOINT, load_tokenizer


def load_filler(tok, path):
    """Token ids of the filler text."""
    with open(path, encoding="utf-8") as f:
        return np.array(tok.encode_plain(f.read().strip() + "\n\n"), np.uint16)


def reference_prompts(maker):
    """Three short prompts and three recall documents with their first question."""
    prompts = [("plain text", "The old clock on the stairs had not moved since the winter of that year, and"),
               reference.DIGITS_AND_SYMBOLS, reference.SMALL_TALK]
    for n in (512, 2048, 4096):
        document = recall_set.document(maker, n, 20)
        prompts.append(("recall %d" % n, document["prefix"] + document["questions"][0]["prompt"]))
    return prompts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    recall_set.add_arguments(parser, "eval_project")
    parser.add_argument("--filler", required=True, help="text of the model's own making")
    parser.add_argument("--reference", action="store_true", help="also write reference.json")
    args = parser.parse_args()
    tok = load_tokenizer()
    filler = load_filler(tok, args.filler)
    recall_set.write(tok, filler, args)
    if args.reference:
        import export                                        # needs PyTorch, which the rest does not
        config, weights, _ = export.load_weights(CHECKPOINT)
        prompts = reference_prompts(Maker(tok, filler, seed=args.seed))
        reference.write(os.path.join(args.out, "reference.json"), reference.NumpyLlama(config, weights), tok, prompts,
                        full_logits_of=(0, 1))


if __name__ == "__main__":
    main()
