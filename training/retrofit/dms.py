"""Dynamic memory sparsification (DMS): decisions, delayed eviction, attention under it, and the loss that asks for a ratio.

Lancucki et al. 2025, "Inference-Time Hyper-Scaling with KV Cache Compression" (arXiv 2506.05345), the variant that reads
its decisions from a neuron of the query. Shapes: B sequences, K KV heads, r query heads a KV head, T tokens, D channels.
"""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

NEVER = -1e30                                                # what an unseen key's score gains; finite, so that no NaN arises
FLOOR = -60.0                                                # lower end of log(1 - alpha): exp(-60) is no attention in bf16


@dataclass(frozen=True)
class Rule:
    """How a retrofitted model decides and evicts."""

    neuron: int = 63          # element e of the first query head of each group, half-rotation layout
    scale: float = 8.0        # S: the decision's logit is S * q[e] - offset
    offset: float = 5.0       # c: a fresh model keeps (sigmoid(-5) = 0.0067)
    window: int = 128         # w: nothing younger than w tokens is evicted
    sinks: int = 64           # the first tokens of a sequence are never evicted
    tau: float = 0.1          # temperature of the Gumbel-sigmoid, in training

    def dict(self):
        return {k: getattr(self, k) for k in self.__dataclass_fields__}


def row_logits(rule, neurons):
    """Values of the neurons before RoPE [B, T, K] -> decision logits by the row that makes them [B, K, T].

    Row t + 1 decides about token t, so element 0 of a sequence is about no token.
    """
    return (rule.scale * neurons - rule.offset).transpose(1, 2)


def token_logits(rows):
    """Logits by row [B, K, T] -> by the token they are about; the last token is undecided (-inf: it stays)."""
    return F.pad(rows[..., 1:], (0, 1), value=-math.inf)


def zero_neuron(q, neuron, factor=0.0):
    """q [B, T, K, r, D] with element e of the first query head of each group multiplied by factor (0: removed)."""
    gate = torch.ones(q.shape[-2:], dtype=q.dtype, device=q.device)
    gate[0, neuron] = factor
    return q * gate


def relaxed(rule, logits, generator=None):
    """Gumbel-sigmoid: logits -> (alpha, log(1 - alpha)) with noise of two Gumbels, whose difference is logistic."""
    u = torch.rand(logits.shape, generator=generator, device=logits.device).clamp_(1e-6, 1 - 1e-6)
    noisy = (logits + torch.log(u) - torch.log1p(-u)) / rule.tau
    return torch.sigmoid(noisy), F.logsigmoid(-noisy).clamp_min(FLOOR)


def hard(logits):
    """Logits -> (alpha, log(1 - alpha)) of the running model: a token is marked where its logit is above 0."""
    marked = logits > 0
    return marked.float(), marked.float() * FLOOR


def eligible(rule, length, device=None):
    """[T] bool: tokens whose decision some later query of the sequence feels (beyond the sinks, older than the window)."""
    j = torch.arange(length, device=device)
    return (j >= rule.sinks) & (j < length - 1 - rule.window)


def evictable(rule, queries, keys, device=None):
    """queries, keys: ranges of positions -> [n, m] bool: may key j be missing for query i (i - j > w, j no sink)."""
    i = torch.arange(queries.start, queries.stop, device=device)[:, None]
    j = torch.arange(keys.start, keys.stop, device=device)[None]
    return (i - j > rule.window) & (j >= rule.sinks)


def ratio_loss(alphas, target, counted):
    """max(0, target - closed): how far the closed share is below the target, over all layers and heads together.

    alphas: a list over layers of [B, K, T]; counted [T] bool. The closed share counts hard decisions; its gradient is that
    of alpha (straight-through). One-sided and global: heads share the target as they like, and more is free.
    Computed for each sequence, then averaged.
    """
    a = torch.stack([alpha[..., counted] for alpha in alphas])           # [layers, B, K, counted]
    closed = (a > 0.5).float() + a - a.detach()
    return (target - closed.mean((0, 2, 3))).clamp_min(0).mean()


def attention(rule, q, k, v, log_keep, block=256):
    """Causal attention in which key j counts less, by log_keep, for queries more than w tokens after it.

    q [B, K, r, n, D] the last n positions, k, v [B, K, T, D], log_keep [B, K, T] -> [B, K, r, n, D]. The scores of keys
    within the window and of the sinks are unchanged (the mask of delayed eviction).
    """
    B, K, r, n, D = q.shape
    T = k.shape[2]
    first, out = T - n, []
    q = q / math.sqrt(D)
    for i in range(0, n, block):
        rows = range(first + i, min(first + i + block, T))               # a block of queries sees only its past
        m = rows.stop
        scores = (q[:, :, :, i:i + len(rows)].reshape(B, K, -1, D) @ k[:, :, :m].transpose(2, 3)).view(B, K, r, -1, m)
        future = torch.arange(m, device=q.device)[None] > torch.arange(rows.start, m, device=q.device)[:, None]
        causal = torch.zeros(future.shape, dtype=q.dtype, device=q.device).masked_fill_(future, NEVER)
        bias = torch.where(evictable(rule, rows, range(m), q.device), log_keep[:, :, None, :m].to(q.dtype), causal)
        p = torch.softmax(scores + bias[:, :, None], -1)
        out.append((p.reshape(B, K, -1, m) @ v[:, :, :m]).view(B, K, r, -1, D))
    return torch.cat(out, 3)
