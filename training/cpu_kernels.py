"""The compiled CPU kernels of cpuops.cpp (AMX-bf16, AVX-512) as autograd functions.

cpu_ops() is None on other processors, without a compiler, or with NO_CPUOPS=1; model.py then runs plain PyTorch.
"""
import ctypes
import os
import subprocess

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
_ops = None


class CpuOps:
    """ctypes binding of cpuops.cpp (compiled on first use). All tensors are bf16 unless said otherwise."""

    def __init__(self):
        src, lib = os.path.join(HERE, "cpuops.cpp"), os.path.join(HERE, "build", "cpuops.so")
        if not os.path.exists(lib) or os.path.getmtime(lib) < os.path.getmtime(src):
            os.makedirs(os.path.dirname(lib), exist_ok=True)
            subprocess.check_call(["g++", "-O3", "-march=sapphirerapids", "-ffast-math", "-fopenmp", "-shared", "-fPIC",
                                   src, "-o", lib])
        self.lib = ctypes.CDLL(lib)
        self.lib.init()

    def call(self, name, *args):
        """Call a kernel: tensors go as pointers, None as a null pointer, numbers as float or int64."""
        conv = []
        for x in args:
            if x is None:
                conv.append(ctypes.c_void_p(0))
            elif isinstance(x, torch.Tensor):
                assert x.is_contiguous()
                conv.append(ctypes.c_void_p(x.data_ptr()))
            elif isinstance(x, float):
                conv.append(ctypes.c_float(x))
            else:
                conv.append(ctypes.c_int64(x))
        getattr(self.lib, name)(*conv)

    def attn_fwd(self, qkv, H, K, cos, sin):
        """qkv [B, T, (H + 2 K) * 64] -> output [B, T, H * 64], log-sum-exp (fp32), rotated q and k, v; T padded to 128."""
        B, T, _ = qkv.shape
        Tp = (T + 127) // 128 * 128
        qkv = qkv.contiguous()
        o, lse = qkv.new_empty(B, T, H * 64), torch.zeros(B, H, Tp)
        q, k, v = qkv.new_empty(B, H, Tp, 64), qkv.new_empty(B, K, Tp, 64), qkv.new_empty(B, K, Tp, 64)
        self.call("attn_fwd", qkv, B, T, H, K, cos, sin, o, lse, q, k, v)
        return o, lse, q, k, v

    def attn_bwd(self, do, o, lse, q, k, v, cos, sin, H, K):
        B, T, _ = do.shape
        dx = do.new_empty(B, T, (H + 2 * K) * 64)
        self.call("attn_bwd", do, o, lse, q, k, v, cos, sin, B, T, H, K, dx)
        return dx

    def addnorm_fwd(self, h, delta, w, eps):
        """h (fp32 [n, d]) + delta, its RMSNorm and 1 / rms (fp32 [n])."""
        n, d = h.shape
        out, y, rs = torch.empty_like(h), torch.empty(n, d, dtype=torch.bfloat16), torch.empty(n)
        self.call("addnorm_fwd", h, delta, w, float(eps), n, d, out, y, rs)
        return out, y, rs

    def addnorm_bwd(self, dh, dy, out, w, rs):
        n, d = out.shape
        dx, dd, dw = torch.empty_like(out), torch.empty_like(dy), torch.zeros(d)
        self.call("addnorm_bwd", dh, dy, out, w, rs, n, d, dx, dd, dw)
        return dx, dd, dw

    def swiglu_fwd(self, gu):
        """gu [n, 2 f], gate then up -> silu(gate) * up."""
        n, f = gu.shape[0], gu.shape[1] // 2
        y = gu.new_empty(n, f)
        self.call("swiglu_fwd", gu, n, f, y)
        return y

    def swiglu_bwd(self, dy, gu):
        dx = torch.empty_like(gu)
        self.call("swiglu_bwd", dy, gu, gu.shape[0], gu.shape[1] // 2, dx)
        return dx

    def ce_fwd_bwd(self, logits, y, scale):
        """Cross entropy (fp32 [n]); logits are overwritten by their gradient times scale."""
        ce = torch.empty(len(y))
        self.call("ce_fwd_bwd", logits, y.contiguous(), scale.contiguous(), logits.shape[0], logits.shape[1], ce)
        return ce


def cpu_ops():
    """Compiled CPU kernels, or None (other processor, no compiler, NO_CPUOPS=1)."""
    global _ops
    if _ops is None:
        _ops = False
        if os.environ.get("NO_CPUOPS") != "1":
            try:
                flags = open("/proc/cpuinfo").read()
                if "amx_bf16" in flags and "avx512_bf16" in flags:
                    _ops = CpuOps()
            except (OSError, subprocess.CalledProcessError) as error:
                print("cpuops not used:", str(error)[-300:])
    return _ops or None


class AttentionCpu(torch.autograd.Function):
    """Causal GQA attention with RoPE; the score matrix is never stored."""

    @staticmethod
    def forward(ctx, qkv, heads, kv_heads, cos, sin):
        o, lse, q, k, v = cpu_ops().attn_fwd(qkv, heads, kv_heads, cos, sin)
        ctx.save_for_backward(o, lse, q, k, v, cos, sin)
        ctx.heads = heads, kv_heads
        return o

    @staticmethod
    def backward(ctx, do):
        o, lse, q, k, v, cos, sin = ctx.saved_tensors
        d = cpu_ops().attn_bwd(do.contiguous(), o, lse, q, k, v, cos, sin, *ctx.heads)
        return d, None, None, None, None


class AddNormCpu(torch.autograd.Function):
    """h + delta, and its RMSNorm, in one pass."""

    @staticmethod
    def forward(ctx, h, delta, w, eps):
        ctx.has_delta = delta is not None
        out, y, rstd = cpu_ops().addnorm_fwd(h, delta, w, eps)
        ctx.save_for_backward(out, w, rstd)
        return out, y

    @staticmethod
    def backward(ctx, dh, dy):
        out, w, rstd = ctx.saved_tensors
        dx, dd, dw = cpu_ops().addnorm_bwd(dh.contiguous(), dy.contiguous(), out, w, rstd)
        return dx, dd if ctx.has_delta else None, dw, None


class SwigluCpu(torch.autograd.Function):
    """silu(gate) * up."""

    @staticmethod
    def forward(ctx, gu):
        ctx.save_for_backward(gu)
        return cpu_ops().swiglu_fwd(gu)

    @staticmethod
    def backward(ctx, dy):
        return cpu_ops().swiglu_bwd(dy.contiguous(), ctx.saved_tensors[0])


class LossCpu(torch.autograd.Function):
    """sum(w * cross entropy) / sum(w) with the gradient computed at once, in chunks."""

    @staticmethod
    def forward(ctx, x, emb, y, w):
        total, scale = 0.0, 1.0 / float(w.sum())
        dx = torch.empty_like(x)
        de = torch.zeros(emb.shape, dtype=torch.float32)
        ce = torch.empty(len(y))
        for i in range(0, len(x), 2048):
            s = slice(i, i + 2048)
            logits = x[s] @ emb.t()
            ce[s] = cpu_ops().ce_fwd_bwd(logits, y[s], w[s] * scale)
            dx[s] = logits @ emb
            de += logits.t() @ x[s]
        ctx.save_for_backward(dx, de)
        return (ce * w).sum() * scale, ce

    @staticmethod
    def backward(ctx, g, _):
        dx, de = ctx.saved_tensors
        return dx * g.to(dx.dtype), (de * g).to(torch.bfloat16), None, None
