#!/usr/bin/env python3
"""Byte-level BPE tokenizer of the demo model: training, encoding, decoding, HF export.

The pre-tokeniser is the one llama.cpp calls "qwen2" (one token per digit, so numbers
are recalled digit by digit).  The merges are trained by the incremental word-count
algorithm below; the vocabulary maps bytes to printable characters as GPT-2 does.

    python3 tokenizer.py train corpus/train.txt --vocab 4096 --max-mb 24 --out out
    python3 tokenizer.py encode "some text"
"""
import argparse
import collections
import heapq
import json
import os

import regex

SPECIALS = ["<|endoftext|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
           r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
WORD = regex.compile(PATTERN)
CHAT_TEMPLATE = ("{% for message in messages %}{{'<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n'}}"
                 "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}")


def byte_alphabet():
    """GPT-2's reversible map from the 256 bytes to printable characters."""
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    out, extra = {}, 0
    for b in range(256):
        if b in keep:
            out[b] = chr(b)
        else:
            out[b] = chr(256 + extra)
            extra += 1
    return out


B2C = byte_alphabet()
C2B = {c: b for b, c in B2C.items()}


def train_bpe(counts, n_merges, log=print):
    """counts: {word as str of mapped bytes: frequency} -> list of merges (a, b)."""
    words = [list(w) for w in counts]
    freq = list(counts.values())
    pairs = collections.Counter()
    where = collections.defaultdict(set)
    for i, w in enumerate(words):
        for p in zip(w, w[1:]):
            pairs[p] += freq[i]
            where[p].add(i)
    heap = [(-n, p) for p, n in pairs.items()]
    heapq.heapify(heap)
    merges = []
    while len(merges) < n_merges and heap:
        n, p = heapq.heappop(heap)
        if pairs.get(p, 0) != -n:                            # stale entry: push the current count back
            if pairs.get(p, 0) > 0:
                heapq.heappush(heap, (-pairs[p], p))
            continue
        if -n < 2:
            break
        merges.append(p)
        a, b = p
        ab = a + b
        changed = set()
        for i in list(where[p]):
            w, f = words[i], freq[i]
            for q in zip(w, w[1:]):
                pairs[q] -= f
                where[q].discard(i)
                changed.add(q)
            new, j = [], 0
            while j < len(w):
                if j + 1 < len(w) and w[j] == a and w[j + 1] == b:
                    new.append(ab)
                    j += 2
                else:
                    new.append(w[j])
                    j += 1
            words[i] = new
            for q in zip(new, new[1:]):
                pairs[q] += f
                where[q].add(i)
                changed.add(q)
        for q in changed:
            if pairs[q] > 0:
                heapq.heappush(heap, (-pairs[q], q))
            else:
                pairs.pop(q, None)
        if len(merges) % 500 == 0:
            log("merges %d  last %r count %d" % (len(merges), ab, -n))
    return merges


class Tokenizer:
    """vocab: token as mapped characters -> id; merges: pairs in order of rank."""

    def __init__(self, vocab, merges):
        self.vocab = vocab
        self.merges = [tuple(m) for m in merges]
        self.rank = {m: i for i, m in enumerate(self.merges)}
        self.tokens = [None] * len(vocab)
        for t, i in vocab.items():
            self.tokens[i] = t
        self.special = {t: vocab[t] for t in SPECIALS}
        self.bytes = [t.encode() if t in self.special else bytes(C2B[c] for c in t) for t in self.tokens]
        self.cache = {}
        self.split_special = regex.compile("(" + "|".join(regex.escape(t) for t in SPECIALS) + ")")
        self.eot = self.special["<|endoftext|>"]
        self.end = self.special["<|end|>"]

    @classmethod
    def load(cls, path):
        """Read a Hugging Face tokenizer.json."""
        m = json.load(open(path, encoding="utf-8"))["model"]
        merges = [tuple(x.split(" ")) if isinstance(x, str) else tuple(x) for x in m["merges"]]
        return cls(m["vocab"], merges)

    @classmethod
    def from_merges(cls, merges):
        """Special tokens first, then the 256 bytes, then the merges."""
        vocab = {}
        for t in SPECIALS + [B2C[b] for b in range(256)] + [a + b for a, b in merges]:
            vocab.setdefault(t, len(vocab))
        return cls(vocab, merges)

    def bpe(self, word):
        """Ids of one pre-tokenised word: merge the pair of lowest rank until none is left."""
        parts = [B2C[b] for b in word.encode("utf-8")]
        while len(parts) > 1:
            best = min(range(len(parts) - 1), key=lambda i: self.rank.get((parts[i], parts[i + 1]), 1 << 30))
            pair = (parts[best], parts[best + 1])
            if pair not in self.rank:
                break
            new, j = [], 0
            while j < len(parts):
                if j + 1 < len(parts) and (parts[j], parts[j + 1]) == pair:
                    new.append(parts[j] + parts[j + 1])
                    j += 2
                else:
                    new.append(parts[j])
                    j += 1
            parts = new
        return [self.vocab[p] for p in parts]

    def encode_plain(self, text):
        """Encode text that holds no special token."""
        out, cache = [], self.cache
        for w in WORD.findall(text):
            ids = cache.get(w)
            if ids is None:
                ids = self.bpe(w)
                if len(cache) < 2000000:
                    cache[w] = ids
            out += ids
        return out

    def encode(self, text, bos=False):
        """Encode text in which special tokens are written out."""
        out = [self.eot] if bos else []
        for part in self.split_special.split(text):
            if part in self.special:
                out.append(self.special[part])
            elif part:
                out += self.encode_plain(part)
        return out

    def decode(self, ids):
        return b"".join(self.bytes[int(i)] for i in ids).decode("utf-8", "replace")

    def save_hf(self, folder):
        """tokenizer.json, tokenizer_config.json and special_tokens_map.json."""
        os.makedirs(folder, exist_ok=True)
        added = [{"id": self.vocab[t], "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                  "normalized": False, "special": True} for t in SPECIALS]
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
        doc = {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": PATTERN}, "behavior": "Isolated", "invert": False},
                byte_level]},
            "post_processor": {"type": "TemplateProcessing",
                               "single": [{"SpecialToken": {"id": SPECIALS[0], "type_id": 0}},
                                          {"Sequence": {"id": "A", "type_id": 0}}],
                               "pair": [{"SpecialToken": {"id": SPECIALS[0], "type_id": 0}},
                                        {"Sequence": {"id": "A", "type_id": 0}},
                                        {"Sequence": {"id": "B", "type_id": 1}}],
                               "special_tokens": {SPECIALS[0]: {"id": SPECIALS[0], "ids": [self.eot],
                                                                "tokens": [SPECIALS[0]]}}},
            "decoder": dict(byte_level, trim_offsets=True),
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "ignore_merges": False, "vocab": self.vocab,
                      "merges": [a + " " + b for a, b in self.merges]},
        }
        json.dump(doc, open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8"), ensure_ascii=False, indent=1)
        cfg = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": SPECIALS[0], "eos_token": "<|end|>",
               "pad_token": "<|pad|>", "add_bos_token": True, "add_eos_token": False, "model_max_length": 8192,
               "clean_up_tokenization_spaces": False, "chat_template": CHAT_TEMPLATE,
               "added_tokens_decoder": {str(self.vocab[t]): {"content": t, "lstrip": False, "normalized": False,
                                                             "rstrip": False, "single_word": False, "special": True}
                                        for t in SPECIALS}}
        json.dump(cfg, open(os.path.join(folder, "tokenizer_config.json"), "w"), indent=1)
        json.dump({"bos_token": SPECIALS[0], "eos_token": "<|end|>", "pad_token": "<|pad|>"},
                  open(os.path.join(folder, "special_tokens_map.json"), "w"), indent=1)


def count_words(texts):
    """{word as mapped characters: how often}."""
    c = collections.Counter()
    for t in texts:
        c.update(WORD.findall(t))
    return {"".join(B2C[b] for b in w.encode("utf-8")): n for w, n in c.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train")
    train.add_argument("files", nargs="+")
    train.add_argument("--vocab", type=int, default=4096)
    train.add_argument("--max-mb", type=float, default=24, help="text to count words in, in millions of characters")
    train.add_argument("--out", default="out")
    encode = commands.add_parser("encode")
    encode.add_argument("text")
    encode.add_argument("--tokenizer", default="out/tokenizer.json")
    args = parser.parse_args()
    if args.command == "train":
        share = int(args.max_mb * 1e6 / len(args.files))
        counts = count_words(open(f, encoding="utf-8").read(share) for f in args.files)
        print("distinct words", len(counts), flush=True)
        merges = train_bpe(counts, args.vocab - len(SPECIALS) - 256)
        tok = Tokenizer.from_merges(merges)
        tok.save_hf(args.out)
        print("vocab", len(tok.vocab))
    else:
        tok = Tokenizer.load(args.tokenizer)
        ids = tok.encode(args.text)
        print(ids, [tok.decode([i]) for i in ids])


if __name__ == "__main__":
    main()
