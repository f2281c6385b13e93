#!/usr/bin/env python3
"""The rules of DMS hold: needs PyTorch and NumPy, a few seconds, no corpus and no model file.

    python3 test_retrofit.py [-v]
    DMS_VECTORS=/path/to/dms_w8.json python3 test_retrofit.py      # also against reference vectors
"""
import json
import math
import os
import unittest

import numpy as np
import torch

import dms
from retrofit import Schedule
from student import Student, queries
from calibrate import average
from export_gguf import gguf_channel
from gguf import interleave
from model import Config, rope_tables


class Ring:
    """Delayed eviction as a running model does it: a ring of w + 1 (slot, mark) and a table of slots, for one head.

    When a token arrives and the ring is full, its oldest member is w + 1 tokens old: if that is marked, the new token
    takes its slot, else it gets a slot of its own. Sinks never enter the ring.
    """

    def __init__(self, window, sinks=0):
        self.window, self.sinks, self.members, self.slots, self.tokens = window, sinks, [], [], 0

    def add(self, marks):
        """marks: decisions about all earlier tokens -> slot of the new token."""
        slot = len(self.slots)
        if len(self.members) == self.window + 1:
            oldest = self.members.pop(0)
            slot = self.slots.index(oldest) if marks[oldest] else slot
        if slot == len(self.slots):
            self.slots.append(None)
        self.slots[slot] = self.tokens
        if self.tokens >= self.sinks:
            self.members.append(self.tokens)
        self.tokens += 1
        return slot


def attend(q, keys, values):
    """One query over the rows of a table, in float64."""
    s = keys @ q / math.sqrt(q.shape[-1])
    p = np.exp(s - s.max())
    return p @ values / p.sum()


def parallel(rule, q, k, v, logits, decide=dms.hard):
    """One head [T, D] in float64 through the attention of training -> [T, D]."""
    q, k, v = (torch.as_tensor(x)[None, None] for x in (q, k, v))
    _, log_keep = decide(torch.as_tensor(logits)[None, None])
    return dms.attention(rule, q[:, :, None], k, v, log_keep.double(), block=7)[0, 0, 0].numpy()


def random_head(seed, length=60, channels=8):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=length) * 3
    logits[-1] = -np.inf
    return (*rng.normal(size=(3, length, channels)), logits)


class EvictionTests(unittest.TestCase):
    def test_the_hard_mask_is_delayed_eviction_by_a_ring_of_one_more_than_the_window(self):
        for seed, window, sinks in ((1, 8, 0), (2, 8, 5), (3, 1, 0), (4, 20, 13)):
            q, k, v, logits = random_head(seed)
            rule, ring = dms.Rule(window=window, sinks=sinks), Ring(window, sinks)
            o = parallel(rule, q, k, v, logits)
            for t in range(len(q)):
                ring.add(logits > 0)
                np.testing.assert_allclose(o[t], attend(q[t], k[ring.slots], v[ring.slots]), rtol=1e-10, atol=1e-12)
            self.assertLess(len(ring.slots), len(q))

    def test_nothing_young_is_evicted_and_everything_old_and_marked_is(self):
        logits = random_head(5)[3]
        ring = Ring(8)
        for t in range(len(logits)):
            ring.add(logits > 0)
            held = set(ring.slots)
            for j in range(t + 1):
                self.assertEqual(j in held, t - j <= 8 or not logits[j] > 0, (t, j))

    def test_the_reference_vectors_come_out(self):
        path = os.environ.get("DMS_VECTORS")
        if not path:
            self.skipTest("set DMS_VECTORS to a file dms_w8.json of reference vectors")
        with open(path, encoding="utf-8") as f:
            case = json.load(f)
        array = lambda x: np.array(x["f32"], np.float64).reshape(x["shape"])
        q, k, v = (array(case["inputs"][name]) for name in "qkv")
        marks, want = case["inputs"]["mark"]["i32"], case["expected"]
        ring = Ring(case["params"]["w"])
        for t in range(len(marks)):
            self.assertEqual(ring.add(marks), want["slot_written"]["i32"][t], t)
            self.assertEqual(ring.slots, want["tables"][t]["i32"], t)
        self.assertEqual(len(ring.slots), want["slots"])
        o, expected = parallel(dms.Rule(window=8, sinks=0), q, k, v, np.where(marks, 1.0, -1.0)), array(want["o"])
        np.testing.assert_allclose(o, expected, atol=1e-5 * np.abs(expected).max())

    def test_the_relaxed_form_with_certain_decisions_is_the_hard_form(self):
        q, k, v, logits = random_head(6)
        rule = dms.Rule(window=8, sinks=3)
        soft = parallel(rule, q, k, v, logits * 1e3, lambda x: dms.relaxed(rule, x, torch.Generator().manual_seed(7)))
        np.testing.assert_allclose(soft, parallel(rule, q, k, v, logits), rtol=1e-10, atol=1e-12)

    def test_a_half_marked_key_counts_half(self):
        q, k, v, logits = random_head(8)
        half = lambda x: (None, torch.full_like(x, math.log(0.5)))
        o = parallel(dms.Rule(window=8, sinks=0), q, k, v, logits, half)
        s = np.exp(k[:60] @ q[59] / math.sqrt(8)) * np.where(59 - np.arange(60) > 8, 0.5, 1)
        np.testing.assert_allclose(o[59], s @ v / s.sum(), rtol=1e-9)

    def test_a_token_is_decided_about_by_the_row_after_it(self):
        neurons = torch.tensor([10.0, 1.0, 0.0, 2.0]).view(1, 4, 1)
        logits = dms.token_logits(dms.row_logits(dms.Rule(scale=8, offset=5), neurons))
        self.assertEqual(logits.tolist(), [[[3.0, -5.0, 11.0, -math.inf]]])
        self.assertEqual(dms.hard(logits)[0].tolist(), [[[1.0, 0.0, 1.0, 0.0]]])


class LossTests(unittest.TestCase):
    def gradient(self, target):
        logits = torch.randn(2, 3, 40, generator=torch.Generator().manual_seed(9)).requires_grad_()
        rule = dms.Rule(tau=1.0)
        alpha, _ = dms.relaxed(rule, logits, torch.Generator().manual_seed(10))
        counted = torch.arange(40) < 30
        loss = dms.ratio_loss([alpha], target, counted)
        loss.backward()
        return float(loss), logits.grad, counted

    def test_below_the_target_every_counted_token_is_pushed_up(self):
        loss, grad, counted = self.gradient(0.99)
        self.assertGreater(loss, 0)
        self.assertTrue(bool((grad[..., counted] < 0).all()))
        self.assertTrue(bool((grad[..., ~counted] == 0).all()))

    def test_at_or_above_the_target_nothing_is_pushed(self):
        loss, grad, _ = self.gradient(0.1)
        self.assertEqual(loss, 0)
        self.assertTrue(bool((grad == 0).all()))

    def test_the_loss_counts_hard_decisions(self):
        alpha = torch.tensor([[[0.6, 0.6, 0.9, 0.1]]])
        loss = dms.ratio_loss([alpha, torch.zeros_like(alpha)], 0.5, torch.ones(4, dtype=torch.bool))
        self.assertAlmostEqual(float(loss), 0.125)

    def test_only_tokens_count_whose_eviction_is_felt(self):
        rule = dms.Rule(window=3, sinks=2)
        may = dms.evictable(rule, range(10), range(10))
        felt = may.any(0)
        self.assertEqual(felt.tolist(), dms.eligible(rule, 10).tolist())


class NeuronTests(unittest.TestCase):
    def test_the_neuron_of_the_first_head_of_each_group_is_exactly_zero_and_nothing_else_is(self):
        q = torch.randn(2, 5, 2, 3, 8, generator=torch.Generator().manual_seed(11))
        q = queries(q, rope_tables(5, 8, 10000.0, q.device), 6, 0.0)
        zero = torch.zeros(3, 8, dtype=torch.bool)
        zero[0, 6] = True
        self.assertTrue(bool(((q == 0) == zero).all()))

    def test_the_channel_moves_with_the_rows_of_the_file(self):
        rows = np.arange(16.0)[:, None]
        for e in range(8):
            self.assertEqual(interleave(rows, 2)[8 + gguf_channel(e, 8)], 8 + e)

    def test_the_neuron_decides_and_takes_no_part_in_attention(self):
        torch.manual_seed(12)
        config = Config(vocab=50, dim=32, layers=2, heads=4, kv_heads=2, head_dim=8, ffn=48)
        model = Student(config, dms.Rule(neuron=7, offset=2.0, window=4, sinks=2))
        ids = torch.randint(0, 50, (1, 30))
        with torch.no_grad():
            before, _, _ = model.forward_dms(ids, None)
            some = [float(a.sum()) for a in model.forward_dms(ids, dms.hard)[1]]
            for matrix, row in model.neuron_rows():
                matrix[row] = 0
            after, _, _ = model.forward_dms(ids, None)
            none = [float(a.sum()) for a in model.forward_dms(ids, dms.hard)[1]]
        self.assertTrue(torch.equal(before, after))
        self.assertTrue(all(n > 0 for n in some), some)
        self.assertEqual(none, [0.0, 0.0])

    def test_going_on_from_a_prefix_is_the_whole_at_once(self):
        torch.manual_seed(13)
        config = Config(vocab=50, dim=32, layers=2, heads=4, kv_heads=2, head_dim=8, ffn=48)
        model = Student(config, dms.Rule(neuron=7, offset=0.1, window=4, sinks=2))
        ids = torch.randint(0, 50, (1, 40))
        with torch.no_grad():
            whole, alphas, _ = model.forward_dms(ids, dms.hard)
            _, _, past = model.forward_dms(ids[:, :25], dms.hard)
            rest, alphas_rest, _ = model.forward_dms(ids[:, 25:].expand(3, -1), dms.hard, past)
        for a, b in zip(alphas, alphas_rest):
            self.assertTrue(torch.equal(a.expand(3, -1, -1), b))
            self.assertTrue(0 < float(a.sum()) < a.numel())
        difference = (rest.view(3, 15, -1).float() - whole[25:].float()).abs().max()
        self.assertLess(float(difference), 0.05)


class AverageTests(unittest.TestCase):
    def test_all_weights_but_the_neurons_rows_move_towards_the_base(self):
        config = Config(vocab=50, dim=32, layers=2, heads=4, kv_heads=2, head_dim=8, ffn=48)
        torch.manual_seed(14)
        model, base = (Student(config, dms.Rule(neuron=7)) for _ in range(2))
        before = {name: p.clone() for name, p in model.named_parameters()}
        average(model, base, 0.25)
        rows = {id(matrix): [] for matrix, _ in model.neuron_rows()}
        for matrix, row in model.neuron_rows():
            rows[id(matrix)].append(row)
        for (name, p), b in zip(model.named_parameters(), base.parameters()):
            want = 0.75 * b + 0.25 * before[name]
            want[rows.get(id(p), [])] = before[name][rows.get(id(p), [])]
            torch.testing.assert_close(p, want)


class ScheduleTests(unittest.TestCase):
    def test_the_neuron_is_gone_before_the_ratio_rises_and_a_control_keeps_it(self):
        args = type("Args", (), dict(zero_out=10, ramp=20, hold=5, cr=4.0, hold_only=False, control=False))
        s = Schedule(args)
        self.assertEqual([s.gate(0), s.gate(8), s.gate(10)], [1.0, 0.0, 0.0])
        self.assertEqual([s.ratio(9), s.ratio(29), s.ratio(34)], [1.0, 4.0, 4.0])
        self.assertEqual(s.rate(29), 1.0)
        self.assertEqual([s.decides(9), s.decides(10)], [False, True])
        args.control = True
        c = Schedule(args)
        self.assertEqual([c.gate(20), c.ratio(34), c.decides(20)], [1.0, 1.0, False])
        self.assertTrue(0.1 <= s.rate(34) < s.rate(31) < 1)


if __name__ == "__main__":
    unittest.main()
