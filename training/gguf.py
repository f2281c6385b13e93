"""GGUF v3, as far as the demo model needs it: writing F16 and Q8_0 files, reading F16 ones back.

Layout: magic, version, tensor count, key count; the key-value pairs; one record a tensor (name, dimensions with the
fastest first, type, offset); padding to 32 bytes; the tensors, each padded to 32 bytes. Everything is little-endian.
Matrices are F16 or Q8_0, vectors F32. The rows of q and k are stored in llama.cpp's interleaved RoPE order: pairs of
neighbours instead of pairs half a head apart.
"""
import struct
from dataclasses import dataclass

import numpy as np

from tokenizer import CHAT_TEMPLATE, SPECIALS, Tokenizer

U32, I32, F32, BOOL, STR, ARR = 4, 5, 6, 7, 8, 9             # value types
SCALAR_FORMATS = {U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}
TENSOR_F32, TENSOR_F16, TENSOR_Q8_0 = 0, 1, 8
ALIGNMENT_BYTES = 32
LAYER_PARTS = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
               "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
               "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


@dataclass(frozen=True)
class Extra:
    """What a file has beyond the demo model's own: key-value pairs (they replace those of the same key), and the parts of
    Hugging Face names of matrices that stay in F16."""

    pairs: tuple = ()
    f16: tuple = ()


def tensor_names(layers):
    """Hugging Face name -> GGUF name."""
    names = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    for i in range(layers):
        for theirs, ours in LAYER_PARTS.items():
            names["model.layers.%d.%s.weight" % (i, theirs)] = "blk.%d.%s.weight" % (i, ours)
    return names


def interleave(w, heads):
    """Rows of q or k: half-rotation order -> interleaved pairs."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)


def deinterleave(w, heads):
    """Rows of q or k: interleaved pairs -> half-rotation order."""
    return w.reshape(heads, w.shape[0] // heads // 2, 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)


def q8_0(x):
    """Blocks of 32 values: one F16 scale (max / 127), then 32 signed bytes, each value / scale rounded."""
    blocks = x.astype(np.float32).reshape(-1, 32)
    scale = np.abs(blocks).max(1, keepdims=True) / 127
    with np.errstate(divide="ignore"):
        inverse = np.where(scale > 0, 1 / scale, 0)
    q = np.round(blocks * inverse).astype(np.int8)
    return np.concatenate([scale.astype(np.float16).view(np.uint8), q.view(np.uint8)], 1).tobytes()


# ---------------------------------------------------------------- writing

def pack_value(kind, value):
    """One value without its type tag; arrays are (element type, list)."""
    if kind == STR:
        raw = value.encode("utf-8")
        return struct.pack("<Q", len(raw)) + raw
    if kind == ARR:
        element, values = value
        return struct.pack("<IQ", element, len(values)) + b"".join(pack_value(element, x) for x in values)
    return struct.pack(SCALAR_FORMATS[kind], value)


def metadata(c, w, tok, kind):
    """The key-value pairs: what llama.cpp needs to build the model and the tokenizer."""
    return [
        ("general.architecture", STR, "llama"), ("general.name", STR, "KV demo model"), ("general.type", STR, "model"),
        ("general.size_label", STR, "%.0fM" % (sum(v.size for v in w.values()) / 1e6)),
        ("general.file_type", U32, 1 if kind == "f16" else 7), ("general.quantization_version", U32, 2),
        ("general.alignment", U32, ALIGNMENT_BYTES),
        ("llama.vocab_size", U32, c["vocab"]), ("llama.context_length", U32, c["max_len"]),
        ("llama.embedding_length", U32, c["dim"]), ("llama.block_count", U32, c["layers"]),
        ("llama.feed_forward_length", U32, c["ffn"]), ("llama.attention.head_count", U32, c["heads"]),
        ("llama.attention.head_count_kv", U32, c["kv_heads"]), ("llama.attention.key_length", U32, c["head_dim"]),
        ("llama.attention.value_length", U32, c["head_dim"]), ("llama.rope.dimension_count", U32, c["head_dim"]),
        ("llama.rope.freq_base", F32, c["rope_base"]), ("llama.attention.layer_norm_rms_epsilon", F32, c["eps"]),
        ("tokenizer.ggml.model", STR, "gpt2"), ("tokenizer.ggml.pre", STR, "qwen2"),
        ("tokenizer.ggml.tokens", ARR, (STR, tok.tokens)),
        ("tokenizer.ggml.token_type", ARR, (I32, [3 if t in SPECIALS else 1 for t in tok.tokens])),
        ("tokenizer.ggml.merges", ARR, (STR, [a + " " + b for a, b in tok.merges])),
        ("tokenizer.ggml.bos_token_id", U32, tok.eot), ("tokenizer.ggml.eos_token_id", U32, tok.end),
        ("tokenizer.ggml.eot_token_id", U32, tok.end), ("tokenizer.ggml.padding_token_id", U32, tok.special["<|pad|>"]),
        ("tokenizer.ggml.add_bos_token", BOOL, True), ("tokenizer.ggml.add_eos_token", BOOL, False),
        ("tokenizer.chat_template", STR, CHAT_TEMPLATE)]


def pack_tensor(name, w, c, kind):
    """-> (tensor type, bytes)."""
    if name.endswith("q_proj.weight"):
        w = interleave(w, c["heads"])
    elif name.endswith("k_proj.weight"):
        w = interleave(w, c["kv_heads"])
    if w.ndim == 1:
        return TENSOR_F32, w.astype(np.float32).tobytes()
    if kind == "f16":
        return TENSOR_F16, np.ascontiguousarray(w).tobytes()
    return TENSOR_Q8_0, q8_0(np.ascontiguousarray(w))


def write(path, c, w, tok, kind, extra=Extra()):
    """c: configuration; w: Hugging Face name -> F16 array; kind: "f16" or "q8_0", where extra does not say F16."""
    names, records, blobs, at = tensor_names(c["layers"]), [], [], 0
    for name, value in w.items():
        tensor_type, blob = pack_tensor(name, value, c, "f16" if any(part in name for part in extra.f16) else kind)
        dimensions = b"".join(struct.pack("<Q", s) for s in value.shape[::-1])
        records.append(pack_value(STR, names[name]) + struct.pack("<I", value.ndim) + dimensions
                       + struct.pack("<IQ", tensor_type, at))
        blob += b"\0" * (-len(blob) % ALIGNMENT_BYTES)
        blobs.append(blob)
        at += len(blob)
    replaced = {key for key, _, _ in extra.pairs}
    pairs = [pair for pair in metadata(c, w, tok, kind) if pair[0] not in replaced] + list(extra.pairs)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(records), len(pairs))
    head += b"".join(pack_value(STR, key) + struct.pack("<I", t) + pack_value(t, v) for key, t, v in pairs)
    head += b"".join(records)
    head += b"\0" * (-len(head) % ALIGNMENT_BYTES)
    with open(path, "wb") as f:
        f.write(head)
        f.writelines(blobs)


# ---------------------------------------------------------------- reading

class Reader:
    """Walks over the bytes of a GGUF header."""

    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def scalar(self, fmt):
        value, = struct.unpack_from(fmt, self.raw, self.at)
        self.at += struct.calcsize(fmt)
        return value

    def value(self, kind):
        if kind == STR:
            n = self.scalar("<Q")
            self.at += n
            return self.raw[self.at - n:self.at].decode("utf-8")
        if kind == ARR:
            element, n = self.scalar("<I"), self.scalar("<Q")
            return [self.value(element) for _ in range(n)]
        return self.scalar(SCALAR_FORMATS[kind])


def read(path):
    """F16 file of this recipe -> (configuration, Hugging Face name -> F16 array, tokenizer)."""
    with open(path, "rb") as f:
        raw = f.read()
    reader = Reader(raw)
    if raw[:4] != b"GGUF":
        raise ValueError("%s: not a GGUF file (magic %r)" % (path, raw[:4]))
    reader.at = 4
    _, tensors, pairs = reader.scalar("<I"), reader.scalar("<Q"), reader.scalar("<Q")
    meta = {}
    for _ in range(pairs):
        key = reader.value(STR)
        meta[key] = reader.value(reader.scalar("<I"))
    records = []
    for _ in range(tensors):
        name = reader.value(STR)
        shape = [reader.scalar("<Q") for _ in range(reader.scalar("<I"))][::-1]
        records.append((name, shape, reader.scalar("<I"), reader.scalar("<Q")))
    data = reader.at + (-reader.at % ALIGNMENT_BYTES)
    c = {"vocab": meta["llama.vocab_size"], "max_len": meta["llama.context_length"], "dim": meta["llama.embedding_length"],
         "layers": meta["llama.block_count"], "ffn": meta["llama.feed_forward_length"],
         "heads": meta["llama.attention.head_count"], "kv_heads": meta["llama.attention.head_count_kv"],
         "head_dim": meta["llama.attention.key_length"], "rope_base": meta["llama.rope.freq_base"],
         "eps": meta["llama.attention.layer_norm_rms_epsilon"]}
    merges = [tuple(m.split(" ")) for m in meta["tokenizer.ggml.merges"]]
    tok = Tokenizer({t: i for i, t in enumerate(meta["tokenizer.ggml.tokens"])}, merges)
    theirs, w = {v: k for k, v in tensor_names(c["layers"]).items()}, {}
    for name, shape, tensor_type, offset in records:
        if tensor_type not in (TENSOR_F32, TENSOR_F16):
            raise ValueError("%s: tensor %s has type %d; only F32 and F16 are read" % (path, name, tensor_type))
        kind, name = (np.float32 if tensor_type == TENSOR_F32 else np.float16), theirs[name]
        value = np.frombuffer(raw, kind, int(np.prod(shape)), data + offset).reshape(shape).astype(np.float16)
        if name.endswith("q_proj.weight"):
            value = deinterleave(value, c["heads"])
        elif name.endswith("k_proj.weight"):
            value = deinterleave(value, c["kv_heads"])
        w[name] = value
    return c, w, tok
