#!/usr/bin/env python3
"""The recipe still makes the files that are shipped: needs NumPy and regex, no PyTorch, about a minute.

    python3 test_recipe.py

From ../models/demo it reads the F16 file and the filler, and makes the rest again.
"""
import json
import os
import tempfile
import unittest

import numpy as np

import gguf
import project_eval
import recall_set
import reference
from paths import HERE

DEMO = os.path.join(HERE, "..", "models", "demo")


def read_bytes(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


class RecipeTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.config, cls.weights, cls.tok = gguf.read(os.path.join(DEMO, "demo-f16.gguf"))
        cls.prompts = json.loads(read_bytes(DEMO, "eval_project", "reference.json"))["prompts"]

    def test_the_writer_makes_the_shipped_gguf_files_byte_for_byte(self):
        with tempfile.TemporaryDirectory() as folder:
            for kind in ("f16", "q8_0"):
                gguf.write(os.path.join(folder, kind), self.config, self.weights, self.tok, kind)
                self.assertTrue(read_bytes(folder, kind) == read_bytes(DEMO, "demo-%s.gguf" % kind), kind)

    def test_the_tokenizer_makes_the_reference_ids_and_reads_them_back(self):
        for row in self.prompts:
            self.assertEqual(self.tok.encode(row["text"], bos=True), row["tokens"], row["name"])
            self.assertEqual(self.tok.decode(row["tokens"][1:]), row["text"], row["name"])

    def test_the_recall_questions_come_out_byte_for_byte(self):
        filler = project_eval.load_filler(self.tok, os.path.join(DEMO, "eval_project", "filler.txt"))
        for length in recall_set.LENGTHS:
            made = "".join(recall_set.lines(self.tok, filler, length, 25, 20, seed=71))
            self.assertTrue(made.encode() == read_bytes(DEMO, "eval_project", "recall_%d.jsonl" % length), length)

    def test_the_float32_model_reproduces_the_reference_logits(self):
        net = reference.NumpyLlama(self.config, self.weights)
        for row in self.prompts[:4]:
            net.reset()
            logits = net(row["tokens"])
            for token, logit in row["top10"]:
                self.assertAlmostEqual(float(logits[-1][token]), logit, delta=2e-4, msg=row["name"])
            if "logits_first_16" in row:
                np.testing.assert_allclose(logits[:16], row["logits_first_16"], atol=2e-4)
            self.assertEqual(net.greedy(row["tokens"], 32), row["greedy_32"], row["name"])


if __name__ == "__main__":
    unittest.main()
