"""Turns tasks and prose into token sequences of a given length, with one loss weight per token."""
import random

import numpy as np

from tasks import (SYSTEMS, absent, small_talk, t_copy, t_count, t_kv, t_multihop, t_multikey, t_passkey, t_recall,
                   t_vartrack)


class Maker:
    """Turns tasks and prose into token sequences of a given length."""

    def __init__(self, tok, prose, seed=0):
        self.tok, self.prose = tok, prose
        self.rng = random.Random(seed)
        starts = np.zeros(len(tok.tokens), bool)            # tokens that may follow an inserted sentence
        ends = np.zeros(len(tok.tokens), bool)
        for i, b in enumerate(tok.bytes):
            starts[i] = len(b) > 1 and b[:1] == b" " and b[1:2].isalpha()
            ends[i] = b == b"."
        self.is_start, self.is_end = starts, ends
        self.newline = tok.encode_plain("\n")
        self.user, self.assistant = tok.special["<|user|>"], tok.special["<|assistant|>"]

    def enc(self, text):
        return self.tok.encode_plain(text)

    def chunk(self, n):
        """n tokens of prose from a random place."""
        i = self.rng.randrange(0, len(self.prose) - n - 1)
        return self.prose[i:i + n]

    def haystack(self, n, facts):
        """Prose of about n tokens with the sentences in it -> list of (ids, is fact)."""
        enc = [self.enc(" " + f) for f in facts]
        n = max(0, n - sum(map(len, enc)))
        if n < 8:
            ids = self.enc(" ".join(facts))
            return [(ids, True)]
        c = np.asarray(self.chunk(n + 40))
        # start at a sentence start
        cut = np.nonzero(self.is_end[c[:40]] & self.is_start[c[1:41]])[0]
        c = c[cut[0] + 1:][:n] if len(cut) else c[:n]
        spots = np.nonzero(self.is_end[c[:-1]] & self.is_start[c[1:]])[0] + 1
        spots = sorted(int(self.rng.choice(spots)) if len(spots) else len(c) for _ in facts)
        if len(spots) and self.rng.random() < 0.15:
            spots = [0] * len(spots)                         # all facts first: farthest away
        out, last = [], 0
        for f, s in zip(enc, spots):
            if s > last:
                out.append((c[last:s].tolist(), False))
            out.append((f, True))
            last = s
        out.append((c[last:].tolist(), False))
        out = [x for x in out if x[0]]
        return out

    def parts(self, task, n, style=None):
        """-> list of (ids, weight class) with classes p(rose) f(act) q(uestion) a(nswer)."""
        style = style or ("chat" if self.rng.random() < 0.7 else "plain")
        turns = [self.turn(question, answer, style) for question, answer, _ in task.turns]
        body = self.body(task, n, turns)
        first = body[0][0]                                   # no space before the first word of the text
        body[0] = (self.enc(self.tok.decode(first[:1]).lstrip()) + first[1:], body[0][1])
        out = [([self.tok.eot], "q")]
        if style == "chat":
            out += self.chat(task, turns, body)
        else:
            out += body
            for question, answer in turns:
                out += [(question, "q"), (answer, "a")]
        out.append((self.newline, "q"))
        return out

    def turn(self, question, answer, style):
        """-> (ids of the question up to where the answer begins, ids of the answer)."""
        if style == "plain":
            return self.enc("\nQuestion: " + question + "\nAnswer:"), self.enc(" " + answer)
        nl = self.newline
        return ([self.user] + nl + self.enc(question) + [self.tok.end] + nl + [self.assistant] + nl,
                self.enc(answer) + [self.tok.end])

    def body(self, task, n, turns):
        """The text that the questions are about, filled up with prose to about n tokens in all."""
        body = [(self.enc(task.intro), "q")] if task.intro else []
        if task.block:
            body.append((self.enc(task.block), "f"))
        used = sum(len(question) + len(answer) for question, answer in turns) + sum(len(ids) for ids, _ in body) + 20
        room = max(0, n - used)
        if not task.block:
            return [(ids, "f" if is_fact else "p") for ids, is_fact in self.haystack(room, task.facts)]
        pre = int(room * self.rng.random())
        before = [(self.chunk(pre).tolist() + self.enc("\n\n"), "p")] if pre > 16 else []
        after = [(self.enc("\n") + self.chunk(room - pre).tolist(), "p")] if room - pre > 16 else []
        return before + body + after

    def chat(self, task, turns, body):
        """The conversation: optional system turn, the text, the questions, sometimes small talk at the end."""
        rng, nl, user, end, assistant = self.rng, self.newline, [self.user], [self.tok.end], [self.assistant]
        out = []
        if rng.random() < 0.5:
            system = [self.tok.special["<|system|>"]]
            out.append((system + nl + self.enc(rng.choice(SYSTEMS)) + end + nl, "q"))
        first_question, first_answer = turns[0]
        if rng.random() < 0.5:                               # text and first question in one message
            question = self.enc("\n\n" + task.turns[0][0]) + end + nl + assistant + nl
            out += [(user + nl, "q")] + body + [(question, "q"), (first_answer, "a")]
        else:
            out += [(user + nl, "q")] + body + [(end + nl + assistant + nl, "q"), (self.enc("I have read the text.") + end, "q")]
            out += [(nl + first_question, "q"), (first_answer, "a")]
        for question, answer in turns[1:]:
            out += [(nl + question, "q"), (answer, "a")]
        if rng.random() < 0.15:
            question, answer, _ = small_talk(rng)
            question, answer = self.turn(question, answer, "chat")
            out += [(nl + question, "q"), (answer, "a")]
        return out

    WEIGHT = {"p": 1.0, "f": 0.0, "q": 0.1, "a": 4.0}        # scattered facts are unpredictable: not learnt

    def induction(self, n):
        """A passage, then (after other prose) the same passage again."""
        m = self.rng.randint(max(8, n // 16), max(9, n // 3))
        passage = self.chunk(m).tolist()
        weight = 1.0
        if self.rng.random() < 0.25:                         # random tokens: only copying helps
            passage = [self.rng.randrange(6, len(self.tok.tokens)) for _ in range(m)]
            weight = 0.05
        gap = self.rng.randint(0, max(0, n - 2 * m - 2))
        between = self.chunk(gap).tolist() if gap else []
        ids = [self.tok.eot] + passage + between + passage
        weights = [0.0] + [weight] * m + [1.0] * len(between) + [0.2] * 2 + [2.0] * (m - 2)
        return ids, weights

    TASKS = [("recall", t_recall, 31), ("passkey", t_passkey, 6), ("multikey", t_multikey, 10), ("kv", t_kv, 13),
             ("multihop", t_multihop, 13), ("vartrack", t_vartrack, 9), ("count", t_count, 4), ("copy", t_copy, 5),
             ("induction", None, 15), ("talk", None, 9)]     # name, maker, share

    def synthetic(self, n):
        """One generated example -> (ids, weight of each id as a target)."""
        rng = self.rng
        name, make_task, _ = rng.choices(self.TASKS, [x[2] for x in self.TASKS])[0]
        if name == "induction":
            return self.induction(n)
        if name == "talk":
            return self.talk()
        # short examples are common even in long sequences, so that several fit
        size = n if rng.random() < 0.6 else rng.randint(64, max(65, n))
        ids, weights = [], []
        for part, weight_class in self.parts(make_task(rng, size), size):
            ids += part
            weights += [self.WEIGHT[weight_class]] * len(part)
        return ids, weights

    def talk(self):
        """One to three turns of small talk, or of questions that no text answers."""
        rng = self.rng
        turns = [small_talk(rng) if rng.random() < 0.75 else absent(rng, ()) for _ in range(rng.randint(1, 3))]
        ids, weights = [self.tok.eot], [0.1]
        if rng.random() < 0.3:
            ids += self.tok.encode("<|system|>\n" + rng.choice(SYSTEMS) + "<|end|>\n")
        for question, answer, _ in turns:
            ids += self.tok.encode("<|user|>\n" + question + "<|end|>\n<|assistant|>\n")
            weights += [0.1] * (len(ids) - len(weights))
            ids += self.enc(answer) + [self.tok.end]
            weights += [2.0] * (len(ids) - len(weights))
            ids += self.newline
            weights += [0.1]
        return ids, weights

    def sequence(self, n, p_synth):
        """n + 1 tokens and n target weights."""
        rng = self.rng
        if rng.random() >= p_synth:
            c = self.chunk(n)
            return np.concatenate([[self.tok.eot], c]).astype(np.int64), np.ones(n, np.float32)
        ids, wt, tries = [], [], 0
        while len(ids) < n + 1:
            room = n + 1 - len(ids)
            if room < 48:
                a = [self.tok.eot] + self.chunk(room).tolist()
                b = [0.0] + [1.0] * room
            else:
                a, b = self.synthetic(room)
                tries += 1
                if len(a) > room and tries < 30:             # too long: its facts would be cut off
                    continue
            ids += a
            wt += b
        return np.array(ids[:n + 1], np.int64), np.array(wt[1:n + 1], np.float32)

    def batch(self, b, n, p_synth):
        """b sequences -> ids [b, n + 1], weights [b, n]; p_synth is the share of generated ones."""
        x = [self.sequence(n, p_synth) for _ in range(b)]
        return np.stack([i for i, _ in x]), np.stack([w for _, w in x])
