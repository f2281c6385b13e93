"""The float32 yardstick: a plain NumPy model and the reference vectors made with it.

reference.json holds one row a prompt: name, text (after the BOS token), tokens, the top-10 logits of the last position
[[id, logit]], logsumexp of the last position, 32 greedy tokens and their text, and for some prompts the full logits of
the first 16 positions. All arithmetic is float32 on the F16-rounded weights.
"""
import json

import numpy as np

DIGITS_AND_SYMBOLS = ("digits and symbols",
                      "The distance from London to York is 188 miles; the 2nd coach costs $4.50!\n\nCaf\u00e9 -- ")
SMALL_TALK = ("small talk", "<|user|>\nHello!<|end|>\n<|assistant|>\n")


class NumpyLlama:
    """Plain float32 model with a KV cache; the yardstick for other implementations."""

    def __init__(self, config, weights):
        self.c, self.w = config, {k: v.astype(np.float32) for k, v in weights.items()}
        self.reset()

    def reset(self):
        """Forget all tokens."""
        self.cache, self.pos = [None] * self.c["layers"], 0

    def norm(self, x, g):
        """RMSNorm."""
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.c["eps"]) * g

    def rope(self, x, pos):
        """x [tokens, heads, head_dim] rotated to its positions; pairs are (i, i + head_dim / 2)."""
        d = self.c["head_dim"] // 2
        inv = self.c["rope_base"] ** (-np.arange(0, 2 * d, 2) / (2 * d))
        a = pos[:, None] * inv[None]
        co, si = np.cos(a).astype(np.float32)[:, None], np.sin(a).astype(np.float32)[:, None]
        x1, x2 = x[..., :d], x[..., d:]
        return np.concatenate([x1 * co - x2 * si, x2 * co + x1 * si], -1)

    def __call__(self, ids):
        """Feed tokens, return the logits of all of them [tokens, vocab]."""
        c, w, n = self.c, self.w, len(ids)
        H, K, D = c["heads"], c["kv_heads"], c["head_dim"]
        pos = np.arange(self.pos, self.pos + n)
        x = w["model.embed_tokens.weight"][np.asarray(ids)]
        for i in range(c["layers"]):
            p = "model.layers.%d." % i
            y = self.norm(x, w[p + "input_layernorm.weight"])
            q = self.rope((y @ w[p + "self_attn.q_proj.weight"].T).reshape(n, H, D), pos)
            k = self.rope((y @ w[p + "self_attn.k_proj.weight"].T).reshape(n, K, D), pos)
            v = (y @ w[p + "self_attn.v_proj.weight"].T).reshape(n, K, D)
            if self.cache[i] is not None:
                k, v = np.concatenate([self.cache[i][0], k]), np.concatenate([self.cache[i][1], v])
            self.cache[i] = k, v
            o = self.attend(q, k, v, pos)
            x = x + o.reshape(n, -1) @ w[p + "self_attn.o_proj.weight"].T
            y = self.norm(x, w[p + "post_attention_layernorm.weight"])
            g = y @ w[p + "mlp.gate_proj.weight"].T
            x = x + (g / (1 + np.exp(-g)) * (y @ w[p + "mlp.up_proj.weight"].T)) @ w[p + "mlp.down_proj.weight"].T
        self.pos += n
        return self.norm(x, w["model.norm.weight"]) @ w["model.embed_tokens.weight"].T

    def attend(self, q, k, v, pos):
        """Causal attention of q [tokens, heads, D] over all of k, v [past + tokens, kv heads, D], 512 queries at a time."""
        n, H, D = q.shape
        group = H // k.shape[1]
        o = np.empty((n, H, D), np.float32)
        for h in range(H):
            kk, vv = k[:, h // group], v[:, h // group]
            for a in range(0, n, 512):
                e = min(n, a + 512)
                s = q[a:e, h] @ kk[:self.pos + e].T / np.float32(D ** 0.5)
                s[np.arange(self.pos + e)[None] > pos[a:e, None]] = -np.inf
                s = np.exp(s - s.max(-1, keepdims=True))
                o[a:e, h] = (s / s.sum(-1, keepdims=True)) @ vv[:self.pos + e]
        return o

    def greedy(self, ids, n):
        """The n most likely tokens after ids, one by one."""
        self.reset()
        logits, out = self(ids)[-1], []
        while len(out) < n:
            out.append(int(logits.argmax()))
            logits = self([out[-1]])[-1]
        return out


def row_of(net, tok, name, text, full_logits):
    """One row of reference.json."""
    ids = tok.encode(text, bos=True)
    net.reset()
    logits = net(ids)
    last = logits[-1]
    top = np.argsort(-last, kind="stable")[:10]
    row = {"name": name, "text": text, "tokens": ids, "top10": [[int(t), float(last[t])] for t in top],
           "logsumexp": float(np.log(np.exp(last.astype(np.float64)).sum()))}
    if full_logits:
        row["logits_first_16"] = [[round(float(x), 5) for x in r] for r in logits[:16]]
    row["greedy_32"] = net.greedy(ids, 32)
    row["greedy_text"] = tok.decode(row["greedy_32"])
    print(name, len(ids), repr(row["greedy_text"][:90]), flush=True)
    return row


def write(path, net, tok, prompts, full_logits_of):
    """prompts: [(name, text)]; full_logits_of: indexes of the prompts that get all logits of 16 positions."""
    rows = [row_of(net, tok, name, text, i in full_logits_of) for i, (name, text) in enumerate(prompts)]
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        json.dump({"note": "float32 arithmetic on the F16-rounded weights; text starts after the BOS token <|endoftext|>",
                   "prompts": rows}, f, ensure_ascii=False)
