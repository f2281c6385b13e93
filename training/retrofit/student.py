"""The demo model with DMS: its weights as they are, decisions read from the neuron, attention under delayed eviction."""
import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import gguf
from model import Config, Llama, add_norm, rotate

import dms


def queries(q, tables, neuron, gate):
    """q [B, T, K, r, D] -> after RoPE, the neuron scaled by gate before it and after it.

    Twice, because the rotation brings the other channel of the pair into the neuron's place.
    """
    q = dms.zero_neuron(q, neuron, gate)
    return dms.zero_neuron(rotate(q.flatten(2, 3), *tables).view(q.shape), neuron, gate)


class Student(Llama):
    """Decoder of training/model.py whose keys are evicted by its own decisions.

    gate: what the neuron's value is multiplied by before and after RoPE; 1 in the untouched model, 0 once it decides.
    """

    def __init__(self, config, rule):
        super().__init__(config)
        self.rule, self.gate = rule, 0.0

    def forward_dms(self, ids, decide, past=None):
        """ids [B, n] -> (output of the last norm [B * n, dim], alphas by layer, state to go on from).

        decide: function of the token logits [B, K, T] -> (alpha, log(1 - alpha)), or None for no eviction.
        past: the state of a forward pass over earlier tokens (batch 1 is repeated), or None.
        """
        c, rule, bf = self.c, self.rule, torch.bfloat16
        B, n = ids.shape
        r = c.heads // c.kv_heads
        before = past[0][0].shape[2] if past else 0
        cos, sin = (t[before:] for t in self.rope(before + n, ids.device))
        h, delta, alphas, state = F.embedding(ids.reshape(-1), self.emb), None, [], []
        for layer, b in enumerate(self.blocks):
            h, y = add_norm(h, delta, b.n1, c.eps)
            x = F.linear(y, b.qkv.to(bf)).view(B, n, c.heads + 2 * c.kv_heads, c.head_dim)
            q, k, v = x.split([c.heads, c.kv_heads, c.kv_heads], 2)
            q = q.reshape(B, n, c.kv_heads, r, c.head_dim)
            rows = dms.row_logits(rule, F.linear(y.float(), b.qkv[self.rows_of_neurons()]).view(B, n, -1))
            q = queries(q, (cos, sin), rule.neuron, self.gate)
            k, v = rotate(k, cos, sin).transpose(1, 2), v.transpose(1, 2)
            if past:
                k, v, rows = (torch.cat([old.expand(B, *old.shape[1:]), new], 2) for old, new in zip(past[layer], (k, v, rows)))
            state.append((k, v, rows))
            logits = dms.token_logits(rows)
            alpha, log_keep = decide(logits) if decide else (torch.zeros_like(logits), torch.zeros_like(logits))
            alphas.append(alpha)
            a = dms.attention(rule, q.permute(0, 2, 3, 1, 4), k, v, log_keep)
            delta = F.linear(a.permute(0, 3, 1, 2, 4).reshape(B * n, -1), b.o.to(bf))
            h, y = add_norm(h, delta, b.n2, c.eps)
            gate, up = F.linear(y, b.gu.to(bf)).chunk(2, -1)
            delta = F.linear(F.silu(gate) * up, b.down.to(bf))
        _, y = add_norm(h, delta, self.norm, c.eps)
        return y, alphas, state

    def logits(self, hidden):
        """Output of the last norm [N, dim] -> logits [N, vocab]."""
        return F.linear(hidden, self.emb.to(torch.bfloat16)).float()

    def rows_of_neurons(self):
        """Rows of a layer's qkv that make the decisions, one a KV head; they are used in float32, where ties are rare."""
        c = self.c
        return [g * (c.heads // c.kv_heads) * c.head_dim + self.rule.neuron for g in range(c.kv_heads)]

    def neuron_rows(self):
        """(layer's qkv, index of the row) of every row that makes a decision."""
        return [(b.qkv, row) for b in self.blocks for row in self.rows_of_neurons()]


def load_gguf(path, rule):
    """F16 GGUF file -> (student, tokenizer); the weights are those of the file."""
    config, w, tok = gguf.read(path)
    model = Student(Config(**config), rule)
    part = lambda name: torch.from_numpy(w[name].astype("float32"))
    with torch.no_grad():
        model.emb.copy_(part("model.embed_tokens.weight"))
        model.norm.copy_(part("model.norm.weight"))
        for i, b in enumerate(model.blocks):
            p = "model.layers.%d." % i
            b.n1.copy_(part(p + "input_layernorm.weight"))
            b.n2.copy_(part(p + "post_attention_layernorm.weight"))
            b.qkv.copy_(torch.cat([part(p + "self_attn.%s_proj.weight" % s) for s in "qkv"]))
            b.o.copy_(part(p + "self_attn.o_proj.weight"))
            b.gu.copy_(torch.cat([part(p + "mlp.%s_proj.weight" % s) for s in ("gate", "up")]))
            b.down.copy_(part(p + "mlp.down_proj.weight"))
    return model, tok
