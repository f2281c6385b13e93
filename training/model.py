"""The demo model: Llama architecture (RMSNorm, RoPE in half-rotation layout, GQA, SwiGLU, tied embeddings).

Heavy steps go through small autograd functions. On a CPU they use the compiled kernels of cpuops.cpp when these can be
built; everywhere else plain PyTorch runs.
"""
import math
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

from cpu_kernels import AddNormCpu, AttentionCpu, LossCpu, SwigluCpu, cpu_ops


@dataclass
class Config:
    """Shape of the model."""

    vocab: int = 4096
    dim: int = 256
    layers: int = 8
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    ffn: int = 768
    rope_base: float = 500000.0
    eps: float = 1e-5
    max_len: int = 8192

    def dict(self):
        return asdict(self)


def rope_tables(n, head_dim, base, device):
    """cos and sin [n, head_dim / 2] for positions 0..n-1, computed in float64."""
    inv = base ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
    a = torch.arange(n, dtype=torch.float64)[:, None] * inv[None]
    return torch.cos(a).float().to(device), torch.sin(a).float().to(device)


def rotate(x, cos, sin):
    """x [B, T, H, D]; pairs are (i, i + D/2)."""
    d = x.shape[-1] // 2
    x1, x2 = x[..., :d].float(), x[..., d:].float()
    c, s = cos[:, None], sin[:, None]
    return torch.cat([x1 * c - x2 * s, x2 * c + x1 * s], -1).to(x.dtype)


def attention_plain(qkv, heads, kv_heads, cos, sin):
    """qkv [B, T, (heads + 2 kv_heads) * 64] -> [B, T, heads * 64], causal."""
    B, T, _ = qkv.shape
    x = qkv.view(B, T, heads + 2 * kv_heads, -1)
    D = x.shape[-1]
    qk = rotate(x[:, :, :heads + kv_heads], cos, sin)
    q, k, v = qk[:, :, :heads].transpose(1, 2), qk[:, :, heads:].transpose(1, 2), x[:, :, heads + kv_heads:].transpose(1, 2)
    g = heads // kv_heads
    k, v = k.repeat_interleave(g, 1), v.repeat_interleave(g, 1)
    if hasattr(F, "scaled_dot_product_attention") and qkv.is_cuda:
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return o.transpose(1, 2).reshape(B, T, heads * D)
    q = q / math.sqrt(D)
    out, step = [], 512
    for i in range(0, T, step):                              # blocks of queries see only their past
        e = min(T, i + step)
        s = (q[:, :, i:e] @ k[:, :, :e].transpose(2, 3)).float()
        mask = torch.arange(e, device=s.device)[None] > torch.arange(i, e, device=s.device)[:, None]
        s = s.masked_fill(mask, -1e30)
        out.append(torch.softmax(s, -1).to(v.dtype) @ v[:, :, :e])
    return torch.cat(out, 2).transpose(1, 2).reshape(B, T, heads * D)


def add_norm(h, delta, w, eps):
    """-> h + delta (fp32) and its RMSNorm (bf16)."""
    if not h.is_cuda and cpu_ops():
        return AddNormCpu.apply(h, delta, w, eps)
    h = h if delta is None else h + delta.float()
    y = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + eps) * w
    return h, y.to(torch.bfloat16)


class Block(nn.Module):
    """Weights of one layer: norms, fused q-k-v, output, fused gate-up, down."""

    def __init__(self, c):
        super().__init__()
        self.n1 = nn.Parameter(torch.ones(c.dim))
        self.n2 = nn.Parameter(torch.ones(c.dim))
        hd = c.head_dim
        self.qkv = nn.Parameter(torch.empty((c.heads + 2 * c.kv_heads) * hd, c.dim))
        self.o = nn.Parameter(torch.empty(c.dim, c.heads * hd))
        self.gu = nn.Parameter(torch.empty(2 * c.ffn, c.dim))        # gate rows, then up rows
        self.down = nn.Parameter(torch.empty(c.dim, c.ffn))
        for p, s in ((self.qkv, 1), (self.gu, 1), (self.o, (2 * c.layers) ** -0.5), (self.down, (2 * c.layers) ** -0.5)):
            nn.init.normal_(p, std=s * p.shape[1] ** -0.5)


class Llama(nn.Module):
    """The model; fp32 weights, bf16 arithmetic in the matrices."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.emb = nn.Parameter(torch.randn(c.vocab, c.dim) * 0.02)
        self.blocks = nn.ModuleList([Block(c) for _ in range(c.layers)])
        self.norm = nn.Parameter(torch.ones(c.dim))
        self.tables = {}

    def rope(self, T, device):
        """cos and sin tables for T positions, kept between calls."""
        if "t" not in self.tables or self.tables["t"][0].shape[0] < T or self.tables["t"][0].device != device:
            self.tables["t"] = rope_tables(max(T, 1024), self.c.head_dim, self.c.rope_base, device)
        cos, sin = self.tables["t"]
        return cos[:T].contiguous(), sin[:T].contiguous()

    def hidden(self, ids):
        """ids [B, T] -> output of the last norm [B * T, dim] in bf16."""
        c, bf = self.c, torch.bfloat16
        B, T = ids.shape
        cos, sin = self.rope(T, ids.device)
        fast = not ids.is_cuda and cpu_ops() is not None
        h = F.embedding(ids.reshape(-1), self.emb)
        delta = None
        for b in self.blocks:
            h, y = add_norm(h, delta, b.n1, c.eps)
            qkv = F.linear(y, b.qkv.to(bf)).view(B, T, -1)
            if fast:
                a = AttentionCpu.apply(qkv, c.heads, c.kv_heads, cos, sin)
            else:
                a = attention_plain(qkv, c.heads, c.kv_heads, cos, sin)
            delta = F.linear(a.reshape(B * T, -1), b.o.to(bf))
            h, y = add_norm(h, delta, b.n2, c.eps)
            gu = F.linear(y, b.gu.to(bf))
            if fast:
                z = SwigluCpu.apply(gu)
            else:
                g, u = gu.chunk(2, -1)
                z = F.silu(g) * u
            delta = F.linear(z, b.down.to(bf))
        _, y = add_norm(h, delta, self.norm, c.eps)
        return y

    def loss(self, x, y, w):
        """Weighted cross entropy and the unreduced one."""
        h, y, w = self.hidden(x), y.reshape(-1), w.reshape(-1)
        if not x.is_cuda and cpu_ops():
            return LossCpu.apply(h, self.emb.to(torch.bfloat16), y, w)
        ce = F.cross_entropy(F.linear(h, self.emb.to(torch.bfloat16)).float(), y, reduction="none")
        return (ce * w).sum() / w.sum(), ce.detach()


def count_params(m):
    return sum(p.numel() for p in m.parameters())
