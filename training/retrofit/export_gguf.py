#!/usr/bin/env python3
"""Write a retrofitted checkpoint as GGUF: Q8_0 with the query matrices in F16, and the method's keys.

    python3 export_gguf.py --ckpt run/held4.3.pt --measured run/measured.json --out demo-dms4-q8_0.gguf

The query matrices stay in F16 because a rounded neuron moves every decision of its head. The scale S is folded into the
neuron's rows (the file says kvc.scale = 1). kvc.neuron is the channel in the file's interleaved order.
"""
import argparse
import hashlib
import json
import os

import torch

from student import load_gguf
import dms
import export
import gguf
from paths import HERE


def gguf_channel(e, head_dim):
    """Channel of a head in half-rotation order -> in GGUF's interleaved order."""
    half = head_dim // 2
    return 2 * e if e < half else 2 * (e - half) + 1


def method_keys(rule, head_dim, ratio, closed, base_hash):
    """The kvc.* keys; closed: marked share of the tokens that may go, [layers][KV heads]."""
    measured = [1 / max(1 - c, 1e-3) for layer in closed for c in layer]
    return [("kvc.method", gguf.STR, "dms"), ("kvc.neuron", gguf.U32, gguf_channel(rule.neuron, head_dim)),
            ("kvc.rope_layout", gguf.STR, "interleaved"), ("kvc.offset", gguf.F32, rule.offset), ("kvc.scale", gguf.F32, 1.0),
            ("kvc.window", gguf.U32, rule.window), ("kvc.shift", gguf.U32, 1), ("kvc.sinks", gguf.U32, rule.sinks),
            ("kvc.target_cr", gguf.F32, ratio), ("kvc.measured_cr", gguf.ARR, (gguf.F32, measured)),
            ("kvc.granularity", gguf.STR, "head"), ("kvc.base_sha256", gguf.STR, base_hash)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default=os.path.join(HERE, "..", "models", "demo", "demo-f16.gguf"))
    parser.add_argument("--ckpt", required=True)
    parser.add_argument("--measured", required=True, help="what measure.py wrote for this checkpoint")
    parser.add_argument("--name", default="KV demo model, DMS", help="general.name of the file")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    saved = torch.load(args.ckpt, map_location="cpu")
    rule = dms.Rule(**saved["rule"])
    student, tok = load_gguf(args.base, rule)
    student.load_state_dict(saved["model"])
    with torch.no_grad():
        for matrix, row in student.neuron_rows():
            matrix[row] *= rule.scale
    with open(args.base, "rb") as f:
        base_hash = hashlib.sha256(f.read()).hexdigest()
    with open(args.measured, encoding="utf-8") as f:
        closed = json.load(f)["closed"]
    config = student.c.dict()
    weights = export.hf_weights(config, student.state_dict())
    keys = method_keys(rule, config["head_dim"], saved["ratio"], closed, base_hash)
    extra = gguf.Extra((("general.name", gguf.STR, args.name), *keys), ("self_attn.q_proj",))
    gguf.write(args.out, config, weights, tok, "q8_0", extra)
    print("%s: %d bytes" % (args.out, os.path.getsize(args.out)))


if __name__ == "__main__":
    main()
