#!/usr/bin/env python3
"""The prose: public-domain books, cleaned, unwrapped and encoded.

    python3 corpus.py build --git Gutenberg_Text   # -> corpus/train.txt, corpus/val.txt, corpus/SOURCES.tsv
    python3 corpus.py encode                       # -> corpus/train.bin, corpus/val.bin (uint16 token ids)

The books come from https://github.com/rcdm-uga/Gutenberg_Text (Project Gutenberg).
"""
import argparse
import os
import random
import subprocess

import numpy as np
import regex as re

from paths import CORPUS, load_tokenizer

SOURCE_REPO = "https://github.com/rcdm-uga/Gutenberg_Text"

AUTHORS = """Alcott, Louisa May|Austen, Jane|Barrie, J. M. (James Matthew)|Baum, L. Frank (Lyman Frank)
Brontë, Charlotte|Burnett, Frances Hodgson|Carroll, Lewis|Chesterton, G. K. (Gilbert Keith)|Collins, Wilkie
Conrad, Joseph|Dickens, Charles|Doyle, Arthur Conan|Hardy, Thomas|Hawthorne, Nathaniel|Irving, Washington
Kipling, Rudyard|London, Jack|Montgomery, L. M. (Lucy Maud)|Nesbit, E. (Edith)|Poe, Edgar Allan
Shelley, Mary Wollstonecraft|Stevenson, Robert Louis|Stoker, Bram|Twain, Mark|Verne, Jules
Wells, H. G. (Herbert George)|Trollope, Anthony|Wilde, Oscar|Wharton, Edith""".replace("\n", "|").split("|")
MAX_CHARACTERS_PER_AUTHOR = 6_000_000
HELD_OUT_BOOKS = ("The Wonderful Wizard of Oz", "Persuasion", "The War of the Worlds", "The Hound of the Baskervilles")

BOOK_BEGINS = re.compile(r"\*\*\* ?START OF (THIS|THE) PROJECT GUTENBERG[^\n]*\n")
BOOK_ENDS = re.compile(r"(\*\*\* ?END OF (THIS|THE) PROJECT GUTENBERG|End of (the )?Project Gutenberg)", re.I)
COMMON_ENGLISH = set("the and of to in that was he it his with as for had you not be her is at on by".split())
PLAIN_CHARACTERS = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2014": "--", "\u2013": "-",
                                  "\u2026": "...", "\u00a0": " ", "\ufeff": "", "\u2032": "'", "_": "", "\t": " ", "\r": ""})


def clean_book(text):
    """Project Gutenberg file -> unwrapped paragraphs, or None (no marker, not English, not prose)."""
    begin = BOOK_BEGINS.search(text)
    if not begin:
        return None
    body = text[begin.end():]
    end = BOOK_ENDS.search(body)
    if not end:
        return None
    body = body[:end.start()].translate(PLAIN_CHARACTERS)
    paragraphs = [p for p in map(clean_paragraph, re.split(r"\n\s*\n", body)) if p is not None]
    words = " ".join(paragraphs[:400]).lower().split()
    if len(words) < 3000 or sum(w in COMMON_ENGLISH for w in words) < 0.22 * len(words):
        return None
    return "\n\n".join(paragraphs) + "\n"


def clean_paragraph(text):
    """One paragraph on one line, or None for headings, notes of the edition, tables and verse."""
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return None
    text = " ".join(line.strip() for line in lines)
    text = re.sub(r"\[(Illustration|Footnote|Page|Pg)[^\]]*\]|\{\d+\}|\[\d+\]", "", text)
    text = re.sub(r" +", " ", text).strip()
    if len(text) < 60 and not re.search(r"[.!?\"']$", text):
        return None                                          # headings, tables of contents, page numbers
    if re.search(r"gutenberg|proofread|transcriber|pgdp|produced by|www\.|http|e-?text|copyright", text, re.I):
        return None
    letters = sum(c.isalpha() or c == " " for c in text)
    if letters < 0.85 * len(text) or sum(c.isupper() for c in text) > 0.2 * len(text):
        return None
    if len(lines) > 3 and np.mean([len(line.strip()) for line in lines]) < 42:
        return None                                          # verse, lists
    return text


class GitFiles:
    """Reads files of the newest commit of a clone, one after the other, through one `git cat-file`."""

    def __init__(self, folder):
        self.git = ["git", "-C", folder]
        self.commit = subprocess.check_output(self.git + ["rev-parse", "HEAD"], text=True).strip()
        self.batch = subprocess.Popen(self.git + ["cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def names(self):
        return subprocess.check_output(self.git + ["ls-tree", "-r", "-z", "--name-only", "HEAD"]).decode().split("\0")

    def read(self, name):
        self.batch.stdin.write(("HEAD:%s\n" % name).encode())
        self.batch.stdin.flush()
        size = int(self.batch.stdout.readline().split()[2])
        raw = self.batch.stdout.read(size + 1)[:-1]
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("latin-1")

    def close(self):
        self.batch.stdin.close()
        self.batch.wait()


def choose_books(files, rng):
    """-> (train, held out): lists of (path, cleaned text, free of copyright), each title once."""
    names, seen, train, held_out = files.names(), set(), [], []
    for author in AUTHORS:
        books = [n for n in names if n.startswith(author + "/") and n.endswith(".txt")]
        rng.shuffle(books)
        books.sort(key=lambda n: os.path.basename(n)[:-4] not in HELD_OUT_BOOKS)
        total = 0
        for name in books:
            text, title = files.read(name), os.path.basename(name)[:-4]
            key = re.sub(r"\W+", "", title.lower())[:24]
            if key in seen or "complete works" in title.lower() or "index" in title.lower():
                continue
            free = not re.search("copyrighted project gutenberg", text[:5000], re.I)
            text = clean_book(text)
            if text is None or (total and total + len(text) > MAX_CHARACTERS_PER_AUTHOR):
                continue
            opening = hash(text[5000:5200])                  # the same book under another title
            if opening in seen:
                continue
            seen.update((key, opening))
            (held_out if title in HELD_OUT_BOOKS else train).append((name.replace("\r", ""), text, free))
            total += len(text)
    return train, held_out


def build_corpus(folder, max_mb):
    """Clone of the book repository -> corpus/train.txt, val.txt (books separated by NUL) and SOURCES.tsv."""
    os.makedirs(CORPUS, exist_ok=True)
    rng, files = random.Random(7), GitFiles(folder)
    train, held_out = choose_books(files, rng)
    files.close()
    rng.shuffle(train)
    kept, left = [], int(max_mb * 1e6)
    for book in train:
        if left > 0 and book[2]:                             # editions under copyright are left out
            left -= len(book[1])
            kept.append(book)
    with open(os.path.join(CORPUS, "SOURCES.tsv"), "w", encoding="utf-8", newline="\n") as sources:
        sources.write("# Project Gutenberg books (public domain in the USA), from %s commit %s\n# path\tcharacters kept\tsplit\n"
                      % (SOURCE_REPO, files.commit))
        for split, books in (("train", kept), ("val", held_out)):
            with open(os.path.join(CORPUS, split + ".txt"), "w", encoding="utf-8", newline="\n") as out:
                out.write("\x00".join(text for _, text, _ in books))
            for name, text, _ in books:
                sources.write("%s\t%d\t%s\n" % (name, len(text), split))
            print(split, "books", len(books), "MB %.2f" % (sum(len(text) for _, text, _ in books) / 1e6))


def encode_corpus(tok):
    """corpus/*.txt -> uint16 token files; every book starts with <|endoftext|>."""
    for split in ("val", "train"):
        with open(os.path.join(CORPUS, split + ".txt"), encoding="utf-8", newline="\n") as f:
            books = f.read().split("\x00")
        ids = np.concatenate([np.array([tok.eot] + tok.encode_plain(book), dtype=np.uint16) for book in books])
        ids.tofile(os.path.join(CORPUS, split + ".bin"))
        print(split, "tokens %.2fM" % (len(ids) / 1e6), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build")
    build.add_argument("--git", required=True, help="clone of " + SOURCE_REPO)
    build.add_argument("--max-mb", type=float, default=110, help="training text in megabytes")
    commands.add_parser("encode")
    args = parser.parse_args()
    if args.command == "build":
        build_corpus(args.git, args.max_mb)
    else:
        encode_corpus(load_tokenizer())


if __name__ == "__main__":
    main()
