#!/usr/bin/env python3
"""Export out/ckpt.pt: Hugging Face folder, GGUF (F16, Q8_0), reference vectors.

    python3 export.py                    # -> out/hf/, out/demo-f16.gguf, out/demo-q8_0.gguf, out/reference.json
    python3 export.py --no-reference

The weights are rounded to F16 once; all files and the reference vectors use the rounded values. GGUF stores q and k
in llama.cpp's interleaved RoPE order, the Hugging Face file in the half-rotation order.
"""
import argparse
import json
import os
import struct

import numpy as np
import torch

import gguf
import reference
from heldout import eval_sample, load_held_out_tokens
from maker import Maker
from paths import CHECKPOINT, OUT, load_tokenizer


def load_weights(path):
    """Checkpoint -> (configuration, Hugging Face name -> F16 array, the whole checkpoint)."""
    st = torch.load(path, map_location="cpu")
    return st["config"], hf_weights(st["config"], st["model"]), st


def hf_weights(c, state):
    """State of a model of configuration c -> Hugging Face name -> F16 array."""
    m = {k: v.float().cpu().numpy() for k, v in state.items()}
    q, k = c["heads"] * c["head_dim"], c["kv_heads"] * c["head_dim"]
    w = {"model.embed_tokens.weight": m["emb"], "model.norm.weight": m["norm"]}
    for i in range(c["layers"]):
        p, s = "model.layers.%d." % i, "blocks.%d." % i
        w[p + "input_layernorm.weight"] = m[s + "n1"]
        w[p + "post_attention_layernorm.weight"] = m[s + "n2"]
        w[p + "self_attn.q_proj.weight"] = m[s + "qkv"][:q]
        w[p + "self_attn.k_proj.weight"] = m[s + "qkv"][q:q + k]
        w[p + "self_attn.v_proj.weight"] = m[s + "qkv"][q + k:]
        w[p + "self_attn.o_proj.weight"] = m[s + "o"]
        w[p + "mlp.gate_proj.weight"] = m[s + "gu"][:c["ffn"]]
        w[p + "mlp.up_proj.weight"] = m[s + "gu"][c["ffn"]:]
        w[p + "mlp.down_proj.weight"] = m[s + "down"]
    return {k: np.ascontiguousarray(v.astype(np.float16)) for k, v in w.items()}


def write_safetensors(path, w):
    """Length of the header, header as JSON padded to 8 bytes, tensors one after the other."""
    head, at = {"__metadata__": {"format": "pt"}}, 0
    for k, v in w.items():
        head[k] = {"dtype": "F16", "shape": list(v.shape), "data_offsets": [at, at + v.nbytes]}
        at += v.nbytes
    h = json.dumps(head).encode()
    h += b" " * (-len(h) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(h)) + h)
        for v in w.values():
            f.write(v.tobytes())


def write_hf(folder, c, w, tok):
    """The folder that Hugging Face tools load."""
    os.makedirs(folder, exist_ok=True)
    tok.save_hf(folder)
    cfg = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": c["vocab"], "hidden_size": c["dim"],
           "intermediate_size": c["ffn"], "num_hidden_layers": c["layers"], "num_attention_heads": c["heads"],
           "num_key_value_heads": c["kv_heads"], "head_dim": c["head_dim"], "hidden_act": "silu",
           "max_position_embeddings": c["max_len"], "rms_norm_eps": c["eps"], "rope_theta": c["rope_base"], "rope_scaling": None,
           "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False, "bos_token_id": tok.eot,
           "eos_token_id": tok.end, "pad_token_id": tok.special["<|pad|>"], "initializer_range": 0.02, "use_cache": True,
           "torch_dtype": "float16"}
    json.dump(cfg, open(os.path.join(folder, "config.json"), "w"), indent=1)
    json.dump({"bos_token_id": tok.eot, "eos_token_id": [tok.end, tok.eot], "pad_token_id": tok.special["<|pad|>"]},
              open(os.path.join(folder, "generation_config.json"), "w"), indent=1)
    write_safetensors(os.path.join(folder, "model.safetensors"), w)


def reference_prompts(tok):
    """Three short prompts and three held-out samples of growing length."""
    maker = Maker(tok, load_held_out_tokens(), seed=99)
    return [("short text", "It was a dark and stormy night, and the old man"),
            reference.DIGITS_AND_SYMBOLS, reference.SMALL_TALK,
            ("passkey 512", eval_sample(maker, "passkey", 512)["prompt"]),
            ("document questions 2048", eval_sample(maker, "facts", 2048)["prompt"]),
            ("multi-hop 4096", eval_sample(maker, "multihop", 4096)["prompt"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ckpt", default=CHECKPOINT)
    parser.add_argument("--out", default=OUT)
    parser.add_argument("--max-len", type=int, default=0, help="context length to declare instead of the trained one")
    parser.add_argument("--no-reference", action="store_true")
    args = parser.parse_args()
    tok = load_tokenizer()
    c, w, state = load_weights(args.ckpt)
    if args.max_len:
        c["max_len"] = args.max_len
    write_hf(os.path.join(args.out, "hf"), c, w, tok)
    gguf.write(os.path.join(args.out, "demo-f16.gguf"), c, w, tok, "f16")
    gguf.write(os.path.join(args.out, "demo-q8_0.gguf"), c, w, tok, "q8_0")
    print("exported step %d, %.2fM tokens" % (state["step"], state["tokens"] / 1e6))
    if not args.no_reference:
        reference.write(os.path.join(args.out, "reference.json"), reference.NumpyLlama(c, w), tok, reference_prompts(tok),
                        full_logits_of=(1,))


if __name__ == "__main__":
    main()
