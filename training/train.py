#!/usr/bin/env python3
"""Train the demo model. CPU (bf16 through oneDNN and cpuops.cpp) or one CUDA GPU.

    python3 train.py --minutes 80                 # time budget; a rerun resumes from out/ckpt.pt
    python3 train.py --tokens 400000000 --device cuda --scale 8

The curriculum runs over the spent share of the budget: short sequences first, so that the copying circuits form, then
longer ones. SIGTERM saves and leaves. Every 25 steps a line of JSON goes to out/train_log.jsonl.
"""
import argparse
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

import evaluate
from heldout import load_held_out_tokens
from maker import Maker
from model import Config, Llama, count_params, cpu_ops
from optimizer import Optimizer
from paths import CORPUS, OUT, load_tokenizer

# (until this share of the budget, sequence length, tokens per step, share of generated sequences)
STAGES = [(0.235, 256, 8192, 0.65), (0.42, 512, 8192, 0.60), (0.60, 1024, 8192, 0.55), (0.77, 2048, 16384, 0.55),
          (0.92, 4096, 16384, 0.60), (1.01, 8192, 16384, 0.60)]
WARM_UP_STEPS = 100
SAVE_EVERY_SECONDS = 180
PROSE_WEIGHT, ANSWER_WEIGHT = 1.0, 4.0                       # Maker.WEIGHT; the log shows these two losses


class Batches:
    """Training batches; on a GPU the next one of the same kind is made meanwhile."""

    def __init__(self, maker, device):
        self.maker, self.device, self.pool, self.ahead = maker, device, ThreadPoolExecutor(1), {}

    def next(self, *kind):
        if self.device.type == "cpu":
            ids, weights = self.maker.batch(*kind)
        else:
            made = self.ahead.pop(kind, None) or self.pool.submit(self.maker.batch, *kind)
            ids, weights = made.result()
            self.ahead.clear()
            self.ahead[kind] = self.pool.submit(self.maker.batch, *kind)
        return torch.from_numpy(ids).to(self.device), torch.from_numpy(weights).to(self.device)


class Meter:
    """Losses and speed since the last line of the log."""

    def __init__(self, tokens):
        self.tokens, self.begin = tokens, time.time()
        self.loss = self.steps = 0
        self.sums, self.counts = [0.0, 0.0], [0, 0]

    def add(self, ce, weights):
        """ce, weights: unreduced loss and weight of each target."""
        for i, weight in enumerate((PROSE_WEIGHT, ANSWER_WEIGHT)):
            chosen = weights.reshape(-1) == weight
            self.sums[i] += float(ce[chosen].sum())
            self.counts[i] += int(chosen.sum())

    def row(self, tokens):
        prose, answer = (s / max(1, n) for s, n in zip(self.sums, self.counts))
        return {"loss": round(self.loss / self.steps, 3), "prose": round(prose, 3), "answer": round(answer, 3),
                "tok_s": int((tokens - self.tokens) / (time.time() - self.begin))}


class Trainer:
    """Model, optimizer and budget; everything that a checkpoint keeps."""

    def __init__(self, args):
        self.args, self.device = args, torch.device(args.device)
        self.tok, self.held_out = load_tokenizer(), load_held_out_tokens()
        self.checkpoint = os.path.join(args.out, "ckpt.pt")
        saved = torch.load(self.checkpoint, map_location=self.device) if os.path.exists(self.checkpoint) else None
        self.config = Config(**saved["config"]) if saved else Config(**{k: getattr(args, k) for k in Config().dict()})
        self.model = Llama(self.config).to(self.device)
        self.optimizer = Optimizer(self.model, args.lr_muon, args.lr_adam, args.wd)
        self.step = self.tokens = 0
        self.spent = 0.0                                     # seconds of training, over all resumes
        if saved:
            self.model.load_state_dict(saved["model"])
            self.optimizer.load(saved["opt"])
            self.step, self.tokens, self.spent = saved["step"], saved["tokens"], saved["spent"]
        train = np.memmap(os.path.join(CORPUS, "train.bin"), np.uint16, "r")
        self.batches = Batches(Maker(self.tok, train, seed=args.seed + self.step * 1000 + 7), self.device)
        self.log = open(os.path.join(args.out, "train_log.jsonl"), "a", encoding="utf-8")

    def fraction(self):
        """Spent share of the budget."""
        return self.tokens / self.args.tokens if self.args.tokens else self.spent / (self.args.minutes * 60)

    def rate(self, fraction):
        """Learning-rate factor: warm-up, plateau, linear decay to 2 %."""
        decay = (1 - fraction) / (1 - self.args.decay_from)
        return min(1.0, (self.step + 1) / WARM_UP_STEPS) * min(1.0, max(0.02, decay))

    def train_step(self, length, tokens_per_step, p_synth, fraction, meter):
        """One optimizer step over micro-batches -> gradient norm."""
        begin = time.time()
        batch = max(1, tokens_per_step * self.args.scale // length)
        micro = max(1, min(batch, (16384 if self.device.type == "cpu" else 131072) // length))
        rate, total = self.rate(fraction), 0.0
        for i in range(0, batch, micro):
            share = min(micro, batch - i) / batch
            ids, weights = self.batches.next(min(micro, batch - i), length, p_synth)
            loss, ce = self.model.loss(ids[:, :-1], ids[:, 1:], weights)
            (loss * share).backward()
            total += float(loss) * share
            meter.add(ce, weights)
        norm = float(torch.stack([p.grad.norm() for p in self.model.parameters()]).norm())
        if np.isfinite(total) and np.isfinite(norm):
            self.optimizer.step(rate)
        else:
            print("bad step", self.step, total, norm, flush=True)
        for p in self.model.parameters():
            p.grad = None
        self.step += 1
        self.tokens += batch * length
        self.spent += time.time() - begin
        meter.loss += total
        meter.steps += 1
        return norm, rate

    def save(self):
        torch.save({"config": self.config.dict(), "model": self.model.state_dict(), "opt": self.optimizer.state(),
                    "step": self.step, "tokens": self.tokens, "spent": self.spent}, self.checkpoint + ".tmp")
        os.replace(self.checkpoint + ".tmp", self.checkpoint)

    def write_log(self, row):
        print(json.dumps(row), flush=True)
        self.log.write(json.dumps(row) + "\n")
        self.log.flush()

    def check(self, length):
        """Held-out accuracy (16 samples a task) and prose loss at the present length."""
        samples = evaluate.fresh_samples(self.tok, self.held_out, length, per_task=16)
        accuracy = {task: round(good / asked, 3) for task, (good, asked)
                    in evaluate.accuracy(self.model, self.tok, samples, self.device).items()}
        prose = evaluate.prose_loss(self.model, self.held_out, min(length, 1024), 16, self.device)
        self.write_log({"step": self.step, "Mtok": round(self.tokens / 1e6, 2), "eval": {length: accuracy},
                        "val_prose": round(prose, 3)})

    def run(self):
        stop = []
        signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
        last_save = last_check = time.time()
        meter = Meter(self.tokens)
        while (fraction := self.fraction()) < 1 and not stop:
            _, length, tokens_per_step, p_synth = next(s for s in STAGES if fraction < s[0])
            norm, rate = self.train_step(length, tokens_per_step, p_synth, fraction, meter)
            if self.step % self.args.log_every == 0:
                self.write_log({"step": self.step, "T": length, "Mtok": round(self.tokens / 1e6, 2),
                                "min": round(self.spent / 60, 2), "gnorm": round(norm, 2), "lr": round(rate, 3),
                                **meter.row(self.tokens)})
                meter = Meter(self.tokens)
            if time.time() - last_save > SAVE_EVERY_SECONDS:
                self.save()
                last_save = time.time()
            if time.time() - last_check > self.args.eval_minutes * 60:
                self.check(length)
                last_check = time.time()
                meter.begin, meter.tokens = last_check, self.tokens
        self.save()
        print("done", self.step, self.tokens, self.spent, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0, help="training-time budget (summed over resumes)")
    parser.add_argument("--tokens", type=float, default=0, help="token budget instead of minutes")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", default=OUT)
    parser.add_argument("--scale", type=int, default=1, help="tokens per step times this")
    parser.add_argument("--lr-muon", type=float, default=0.02)
    parser.add_argument("--lr-adam", type=float, default=0.004)
    parser.add_argument("--wd", type=float, default=0.05, help="weight decay of the matrices")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--decay-from", type=float, default=0.65, help="share of the budget from which the rate falls to 0")
    parser.add_argument("--log-every", type=int, default=25, help="steps")
    parser.add_argument("--eval-minutes", type=float, default=6)
    for key, value in Config().dict().items():
        parser.add_argument("--" + key.replace("_", "-"), type=type(value), default=value)
    args = parser.parse_args()
    if not args.minutes and not args.tokens:
        parser.error("give a budget: --minutes or --tokens")
    return args


def main():
    args = parse_arguments()
    torch.manual_seed(args.seed)
    if hasattr(torch, "set_float32_matmul_precision"):
        torch.set_float32_matmul_precision("high")
    if args.threads:
        torch.set_num_threads(args.threads)
    trainer = Trainer(args)
    print("params %.2fM  device %s  cpuops %s  resume step %d"
          % (count_params(trainer.model) / 1e6, trainer.device, bool(cpu_ops()), trainer.step), flush=True)
    trainer.run()


if __name__ == "__main__":
    main()
