"""Muon for the matrices of the blocks, Adam for embeddings and norms."""
import torch


def newton_schulz(g, steps=5):
    """Approximate orthogonalisation of a stack of matrices [n, rows, cols]."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g / (g.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    tall = x.shape[1] > x.shape[2]
    x = (x.transpose(1, 2) if tall else x).bfloat16().contiguous()
    for _ in range(steps):
        s = torch.bmm(x, x.transpose(1, 2))
        x = a * x + torch.bmm(b * s + c * torch.bmm(s, s), x)
    return (x.transpose(1, 2) if tall else x).float()


def mark_rows(model):
    """Says which rows of a fused matrix are one matrix to Muon."""
    c = model.c
    q, k = c.heads * c.head_dim, c.kv_heads * c.head_dim
    for b in model.blocks:
        b.qkv.rows = [slice(0, q), slice(q, q + k), slice(q + k, q + 2 * k)]
        b.gu.rows = [slice(0, c.ffn), slice(c.ffn, 2 * c.ffn)]
        b.o.rows = [slice(None)]
        b.down.rows = [slice(None)]


class Optimizer:
    """Muon for the matrices of the blocks (fused ones part by part), Adam for embeddings and norms."""

    def __init__(self, model, lr_muon, lr_adam, wd):
        mark_rows(model)
        self.lr_m, self.lr_a, self.wd = lr_muon, lr_adam, wd
        self.mats = [p for n, p in model.named_parameters() if p.ndim == 2 and n != "emb"]
        self.rest = [p for n, p in model.named_parameters() if p.ndim != 2 or n == "emb"]
        self.buf = [torch.zeros_like(p) for p in self.mats]
        self.m = [torch.zeros_like(p) for p in self.rest]
        self.v = [torch.zeros_like(p) for p in self.rest]
        self.t = 0
        self.groups = {}                                     # same-shaped parts are handled together
        for i, p in enumerate(self.mats):
            for rows in p.rows:
                n, m = p[rows].shape
                self.groups.setdefault((min(n, m), max(n, m)), []).append((i, rows, n > m))

    @torch.no_grad()
    def step(self, mult):
        """One update from the gradients; mult scales both learning rates."""
        self.t += 1
        mom = min(0.95, 0.85 + 0.1 * self.t / 300)
        g = []
        for p, b in zip(self.mats, self.buf):
            b.lerp_(p.grad, 1 - mom)
            g.append(p.grad.lerp(b, mom))
            p.mul_(1 - self.lr_m * mult * self.wd)
        for parts in self.groups.values():
            u = newton_schulz(torch.stack([g[i][rows].t() if tall else g[i][rows] for i, rows, tall in parts]))
            for x, (i, rows, tall) in zip(u, parts):
                k = max(1, x.shape[1] / x.shape[0]) ** 0.5 if tall else 1.0
                self.mats[i][rows].add_(x.t() if tall else x, alpha=-self.lr_m * mult * k)
        c1, c2 = 1 - 0.9 ** self.t, 1 - 0.95 ** self.t
        for p, m, v in zip(self.rest, self.m, self.v):
            m.lerp_(p.grad, 0.1)
            v.mul_(0.95).addcmul_(p.grad, p.grad, value=0.05)
            p.addcdiv_(m / c1, (v / c2).sqrt_().add_(1e-10), value=-self.lr_a * mult)

    def state(self):
        """What a checkpoint keeps."""
        return {"buf": self.buf, "m": self.m, "v": self.v, "t": self.t}

    def load(self, s):
        """Take over the state of a checkpoint."""
        for a, b in (("buf", self.buf), ("m", self.m), ("v", self.v)):
            for x, y in zip(s[a], b):
                y.copy_(x)
        self.t = s["t"]
