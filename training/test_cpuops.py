#!/usr/bin/env python3
"""The compiled kernels against plain PyTorch in float32, values and gradients.

    python3 test_cpuops.py           # skips out loud without AMX-bf16, AVX-512-bf16 or a compiler
    python3 test_cpuops.py --speed   # microseconds a token of attention instead

bf16 keeps 8 bits of mantissa, so a relative error (Frobenius norm) of 1 % is the bound; norms and losses stay below it
by far.
"""
import sys
import time
import unittest

import torch
import torch.nn.functional as F

import model as M

MAX_RELATIVE_ERROR = 0.01


def relative_error(got, want):
    return float((got.float() - want.float()).norm() / want.float().norm())


def twin(x):
    """The same values twice as leaves: for the kernel, and in float32 for the reference."""
    return x.clone().requires_grad_(), x.float().clone().requires_grad_()


@unittest.skipUnless(M.cpu_ops(), "needs a processor with amx_bf16 and avx512_bf16, and g++")
class CpuOpsTests(unittest.TestCase):
    def setUp(self):
        torch.set_num_threads(2)
        torch.manual_seed(0)

    def close(self, got, want, what):
        self.assertLess(relative_error(got, want), MAX_RELATIVE_ERROR, what)

    def test_attention_and_its_gradients(self):
        for batch, tokens, heads, kv_heads in ((2, 256, 4, 2), (1, 200, 4, 2), (1, 777, 6, 2)):
            cos, sin = M.rope_tables(tokens, 64, 500000.0, "cpu")
            x, y = twin(torch.randn(batch, tokens, (heads + 2 * kv_heads) * 64).bfloat16())
            got, want = M.AttentionCpu.apply(x, heads, kv_heads, cos, sin), M.attention_plain(y, heads, kv_heads, cos, sin)
            gradient = torch.randn(got.shape).bfloat16()
            got.backward(gradient)
            want.backward(gradient.float())
            self.close(got, want, "output of %d tokens" % tokens)
            q, k = heads * 64, (heads + kv_heads) * 64
            for name, part in (("q", slice(0, q)), ("k", slice(q, k)), ("v", slice(k, None))):
                self.close(x.grad[..., part], y.grad[..., part], "gradient of %s, %d tokens" % (name, tokens))

    def test_swiglu_and_its_gradient(self):
        x, y = twin(torch.randn(100, 512).bfloat16())
        gate, up = y.chunk(2, -1)
        got, want = M.SwigluCpu.apply(x), F.silu(gate) * up
        gradient = torch.randn(got.shape).bfloat16()
        got.backward(gradient)
        want.backward(gradient.float())
        self.close(got, want, "output")
        self.close(x.grad, y.grad, "gradient")

    def test_add_and_norm_and_their_gradients(self):
        (h1, h2), (d1, d2), (w1, w2) = twin(torch.randn(50, 256)), twin(torch.randn(50, 256).bfloat16()), twin(torch.rand(256))
        sum1, norm1 = M.AddNormCpu.apply(h1, d1, w1, 1e-5)
        sum2 = h2 + d2
        norm2 = sum2 * torch.rsqrt(sum2.pow(2).mean(-1, keepdim=True) + 1e-5) * w2
        g1, g2 = torch.randn(50, 256), torch.randn(50, 256).bfloat16()
        torch.autograd.backward([sum1, norm1], [g1, g2])
        torch.autograd.backward([sum2, norm2], [g1, g2.float()])
        self.close(norm1, norm2, "norm")
        for got, want, name in ((h1, h2, "h"), (d1, d2, "delta"), (w1, w2, "weight")):
            self.close(got.grad, want.grad, "gradient of " + name)

    def test_cross_entropy_and_its_gradients(self):
        (x1, x2), (e1, e2) = twin(torch.randn(300, 256).bfloat16()), twin((torch.randn(4096, 256) * 0.1).bfloat16())
        y, w = torch.randint(0, 4096, (300,)), torch.rand(300)
        got, _ = M.LossCpu.apply(x1, e1, y, w)
        want = (F.cross_entropy(x2 @ e2.t(), y, reduction="none") * w).sum() / w.sum()
        got.backward()
        want.backward()
        self.close(got, want, "loss")
        self.close(x1.grad, x2.grad, "gradient of x")
        self.close(e1.grad, e2.grad, "gradient of the embedding")


def seconds(action, repeats=3):
    begin = time.time()
    for _ in range(repeats):
        action()
    return (time.time() - begin) / repeats


def print_speed():
    """Attention over 8,192 tokens in sequences of three lengths."""
    ops, heads, kv_heads, tokens = M.cpu_ops(), 4, 2, 8192
    if ops is None:
        sys.exit("the kernels need amx_bf16, avx512_bf16 and g++")
    for length in (256, 1024, 4096):
        cos, sin = M.rope_tables(length, 64, 500000.0, "cpu")
        qkv = torch.randn(tokens // length, length, 512).bfloat16()
        saved = ops.attn_fwd(qkv, heads, kv_heads, cos, sin)
        gradient = torch.randn(tokens // length, length, 256).bfloat16()
        forward = seconds(lambda: ops.attn_fwd(qkv, heads, kv_heads, cos, sin))
        backward = seconds(lambda: ops.attn_bwd(gradient, *saved, cos, sin, heads, kv_heads))
        print("%d tokens: forward %.2f, backward %.2f microseconds a token"
              % (length, forward / tokens * 1e6, backward / tokens * 1e6))


if __name__ == "__main__":
    if "--speed" in sys.argv:
        print_speed()
    else:
        unittest.main()
