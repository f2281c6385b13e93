#!/usr/bin/env python3
"""Retrofit the demo model with DMS: zero the neuron out, raise the compression ratio, hold it while the rate falls.

    python3 retrofit.py --out run                                       # 1 -> 4.3x, then held; saves 2.15x on the way
    python3 retrofit.py --out run2 --resume run/cr2.15.pt --hold-only --cr 2.15
    python3 retrofit.py --out control --control                         # as many steps without neuron, decisions and ratio

Every student is distilled from the frozen base model: loss = (KL + cross entropy) / 2 + weight * max(0, target - closed).
Every few steps a line of JSON goes to <out>/log.jsonl, and now and then one with the hard ratio and loss of held-out text.
"""
import argparse
import json
import math
import os
import random
import signal
import time

import numpy as np
import torch
import torch.nn.functional as F

import dms
from student import load_gguf
from maker import Maker
from paths import CORPUS, HERE

GENERATED = 0.6                                              # share of generated sequences, as the base model had
TEACHER_WEIGHT, MIN_TOKEN_WEIGHT = 0.5, 0.1                  # share of KL; scattered facts count this much in it


class Schedule:
    """Stage, gate of the neuron, target ratio and learning-rate factor by step."""

    def __init__(self, args, first_ratio=1.0):
        self.zero_out, self.ramp, self.hold = (0, 0, args.hold) if args.hold_only else (args.zero_out, args.ramp, args.hold)
        self.first, self.last, self.control = (args.cr if args.hold_only else first_ratio), args.cr, args.control
        self.steps = self.zero_out + self.ramp + self.hold

    def gate(self, step):
        """Factor of the neuron: linear to 0 over four fifths of the first stage; 1 in a control, which keeps it."""
        if self.control:
            return 1.0
        return max(0.0, 1 - step / (0.8 * self.zero_out)) if step < self.zero_out else 0.0

    def ratio(self, step):
        """Target compression ratio: 1, then linear to the last, then held."""
        if step < self.zero_out or self.control:
            return 1.0
        return self.first + (self.last - self.first) * min(1.0, (step - self.zero_out + 1) / max(1, self.ramp))

    def decides(self, step):
        """Does the neuron decide yet?"""
        return step >= self.zero_out and not self.control

    def rate(self, step):
        """Learning-rate factor: 20 steps of warm-up, constant, cosine to a tenth while the ratio is held."""
        held = (step - self.zero_out - self.ramp) / max(1, self.hold)
        return min(1.0, (step + 1) / 20) * (0.55 + 0.45 * math.cos(math.pi * min(1.0, max(0.0, held))))


class Retrofit:
    """Student, frozen teacher, optimizer, data and log."""

    def __init__(self, args):
        self.args, self.device = args, torch.device(args.device)
        saved = torch.load(args.resume, map_location=self.device) if args.resume else None
        self.rule = dms.Rule(**saved["rule"]) if saved else dms.Rule(window=args.window)
        self.teacher, self.tok = load_gguf(args.base, self.rule)
        self.student, _ = load_gguf(args.base, self.rule)
        self.teacher.to(self.device).requires_grad_(False).gate = 1.0
        self.student.to(self.device)
        self.optimizer = torch.optim.Adam(self.student.parameters(), args.rate, (0.9, 0.95))
        self.tokens, first_ratio = 0, 1.0
        if saved:
            self.student.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.tokens, first_ratio = saved["tokens"], saved["ratio"]
        self.schedule = Schedule(args, first_ratio)
        self.noise = torch.Generator(self.device).manual_seed(args.seed)
        self.random = random.Random(args.seed)
        self.maker = Maker(self.tok, np.memmap(os.path.join(CORPUS, "train.bin"), np.uint16, "r"), seed=args.seed + 5)
        held_out = Maker(self.tok, np.fromfile(os.path.join(CORPUS, "val.bin"), np.uint16), seed=3)
        self.check_batches = [held_out.batch(2, 1024, GENERATED) for _ in range(4)]
        os.makedirs(args.out, exist_ok=True)
        self.log = open(os.path.join(args.out, "log.jsonl"), "a", encoding="utf-8")

    def tensors(self, batch):
        ids, weights = (torch.from_numpy(x).to(self.device) for x in batch)
        return ids[:, :-1], ids[:, 1:].reshape(-1), weights.reshape(-1)

    def losses(self, x, y, w, decide):
        """-> (KL to the teacher, cross entropy, alphas); tokens weighted as the base model's training did."""
        hidden, alphas, _ = self.student.forward_dms(x, decide)
        log_p = F.log_softmax(self.student.logits(hidden), -1)
        with torch.no_grad():
            log_t = F.log_softmax(self.teacher.logits(self.teacher.forward_dms(x, None)[0]), -1)
        kl_weight = w.clamp_min(MIN_TOKEN_WEIGHT)
        kl = ((log_t.exp() * (log_t - log_p)).sum(-1) * kl_weight).sum() / kl_weight.sum()
        ce = -(log_p.gather(-1, y[:, None])[:, 0] * w).sum() / w.sum()
        return kl, ce, alphas

    def train_step(self, step):
        """One optimizer step -> the row of the log."""
        begin, schedule = time.time(), self.schedule
        length = self.random.choices(*zip(*self.args.lengths))[0]
        x, y, w = self.tensors(self.maker.batch(self.args.batch_tokens // length, length, GENERATED))
        self.student.gate = schedule.gate(step)
        ratio = schedule.ratio(step)
        decide = (lambda logits: dms.relaxed(self.rule, logits, self.noise)) if schedule.decides(step) else None
        kl, ce, alphas = self.losses(x, y, w, decide)
        counted = dms.eligible(self.rule, length, self.device)
        short = dms.ratio_loss(alphas, 1 - 1 / ratio, counted)
        loss = TEACHER_WEIGHT * kl + (1 - TEACHER_WEIGHT) * ce + self.args.ratio_weight * short
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        if not math.isfinite(float(norm)):
            raise FloatingPointError("step %d: gradient norm %s; lower --rate or --ratio-weight" % (step, float(norm)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.args.rate * schedule.rate(step)
        self.optimizer.step()
        self.tokens += x.numel()
        closed = torch.stack([a[..., counted] for a in alphas]).detach().gt(0.5).float().mean()
        return {"kl": float(kl), "ce": float(ce), "short": float(short), "closed": float(closed), "target": 1 - 1 / ratio,
                "gnorm": float(norm), "tok_s": x.numel() / (time.time() - begin)}

    @torch.no_grad()
    def clear_neuron(self):
        """End of the zero-out stage: the rows of the neuron and their moments become 0, so that decisions start at -c."""
        for matrix, row in self.student.neuron_rows():
            matrix[row] = 0
            for moment in ("exp_avg", "exp_avg_sq"):
                self.optimizer.state[matrix][moment][row] = 0

    @torch.no_grad()
    def check(self, step):
        """Held-out text by hard decisions: ratio overall and by layer and head, loss of student and teacher."""
        decide = dms.hard if self.schedule.decides(step - 1) else None
        self.student.gate = self.schedule.gate(step)
        total, alphas = [], []
        for batch in self.check_batches:
            x, y, w = self.tensors(batch)
            kl, ce, alpha = self.losses(x, y, w, decide)
            total.append([float(kl), float(ce)])
            alphas.append(torch.stack([a[..., dms.eligible(self.rule, x.shape[1], self.device)] for a in alpha]).mean((1, 3)))
        closed = torch.stack(alphas).mean(0)
        kl, ce = np.mean(total, 0)
        return {"check": step, "hard_cr": 1 / (1 - float(closed.mean()) + 1e-9), "kl": kl, "ce": ce,
                "closed": [[round(float(a), 3) for a in heads] for heads in closed]}

    def write(self, row):
        line = json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
        print(line, flush=True)
        self.log.write(line + "\n")
        self.log.flush()

    def save(self, name, ratio):
        path = os.path.join(self.args.out, name)
        torch.save({"config": self.student.c.dict(), "rule": self.rule.dict(), "ratio": ratio, "tokens": self.tokens,
                    "model": self.student.state_dict(), "optimizer": self.optimizer.state_dict()}, path + ".tmp")
        os.replace(path + ".tmp", path)

    def run(self):
        stop, schedule, begin = [], self.schedule, time.time()
        signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
        pending = sorted(r for r in self.args.save_at if schedule.first < r)
        for step in range(schedule.steps):
            row = self.train_step(step)
            if step + 1 == schedule.zero_out and not self.args.control:
                self.write(self.check(step + 1))
                self.clear_neuron()
            if step % self.args.log_every == 0:
                self.write({"step": step, "cr": schedule.ratio(step), "min": (time.time() - begin) / 60, **row})
            if pending and schedule.ratio(step) >= pending[0]:
                self.save("cr%g.pt" % pending.pop(0), schedule.ratio(step))
            if (step + 1) % self.args.check_every == 0 or stop:
                self.write(self.check(step + 1))
                self.save("last.pt", schedule.ratio(step))
            if stop:
                return
        self.write(self.check(schedule.steps + 1))
        self.save("control.pt" if self.args.control else "held%g.pt" % self.args.cr, schedule.ratio(schedule.steps))


def length_share(text):
    """"1024:0.5" -> (1024, 0.5)."""
    length, share = text.split(":")
    return int(length), float(share)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default=os.path.join(HERE, "..", "models", "demo", "demo-f16.gguf"))
    parser.add_argument("--out", required=True, help="folder for checkpoints and log")
    parser.add_argument("--resume", default="", help="checkpoint to go on from")
    parser.add_argument("--hold-only", action="store_true", help="no zero-out, no ramp: hold --cr while the rate falls")
    parser.add_argument("--control", action="store_true", help="train as long, but as an ordinary model: nothing is evicted")
    parser.add_argument("--zero-out", type=int, default=24, help="steps that fade the neuron out")
    parser.add_argument("--ramp", type=int, default=240, help="steps over which the ratio rises")
    parser.add_argument("--hold", type=int, default=60, help="steps at the last ratio with falling rate")
    parser.add_argument("--cr", type=float, default=4.3, help="last target ratio of the tokens that may be evicted")
    parser.add_argument("--save-at", type=float, nargs="*", default=[2.15, 4.3], help="ratios of the ramp to save")
    parser.add_argument("--lengths", type=length_share, nargs="+", default=[(512, 0.2), (1024, 0.5), (2048, 0.3)],
                        help="sequence lengths and their shares of the steps, such as 1024:0.5 2048:0.5")
    parser.add_argument("--window", type=int, default=128, help="w: tokens younger than this are never evicted")
    parser.add_argument("--rate", type=float, default=3e-4, help="Adam's learning rate")
    parser.add_argument("--ratio-weight", type=float, default=4.0, help="weight of the ratio loss")
    parser.add_argument("--batch-tokens", type=int, default=8192)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--log-every", type=int, default=5, help="steps")
    parser.add_argument("--check-every", type=int, default=40, help="steps")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    if args.threads:
        torch.set_num_threads(args.threads)
    Retrofit(args).run()


if __name__ == "__main__":
    main()
