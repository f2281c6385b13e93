"""Where the recipe keeps its files: everything it makes lies beside the scripts and is ignored by git."""
import os

from tokenizer import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "corpus")                        # train.txt, val.txt, train.bin, val.bin, SOURCES.tsv
OUT = os.path.join(HERE, "out")                              # tokenizer, checkpoint, exported files
EVAL_DATA = os.path.join(HERE, "eval_data")                  # held-out samples; contain book text
CHECKPOINT = os.path.join(OUT, "ckpt.pt")


def load_tokenizer():
    """The tokenizer that `tokenizer.py train` wrote."""
    return Tokenizer.load(os.path.join(OUT, "tokenizer.json"))
