#!/usr/bin/env python3
"""real_model.py - sentence embeddings from a MiniLM model, with PyTorch alone.

usage: real_model.py DIR BACKEND OUT

Reads the model in DIR (config.json, vocab.txt, model.safetensors) with the
safetensors back end BACKEND ("mmap" or "pread"), computes the embeddings of a
few sentences and writes them to OUT as raw float32. The network is spelled out
here, so that nothing but torch and safetensors is needed; a sentence and its
paraphrase must come out closer than two that have nothing in common.
"""
import json
import math
import pathlib
import sys

import torch
from safetensors import safe_open
from torch.nn import functional as F

SENTENCES = [
    "a man is eating food",
    "somebody has a meal",
    "the girl is playing the violin",
]


def load(path, backend):
    """Every tensor of the file, read to the last byte."""
    with safe_open(str(path), framework="pt", backend=backend) as handle:
        return {name: handle.get_tensor(name).clone() for name in handle.keys()}


def word_pieces(word, vocab):
    """Longest match first, as BERT's tokenizer does for lower-case words."""
    start, pieces = 0, []
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocab:
                pieces.append(vocab[piece])
                start = end
                break
        else:
            return [vocab["[UNK]"]]
    return pieces


def token_ids(sentence, vocab):
    ids = [vocab["[CLS]"]]
    for word in sentence.split():
        ids += word_pieces(word, vocab)
    return torch.tensor(ids + [vocab["[SEP]"]])


class Encoder:
    def __init__(self, tensors, config):
        self.w = tensors
        self.heads = config["num_attention_heads"]
        self.layers = config["num_hidden_layers"]
        self.eps = config["layer_norm_eps"]

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.w[name + ".weight"],
                            self.w[name + ".bias"], self.eps)

    def attention(self, x, name):
        n, width = x.shape
        q, k, v = (self.linear(x, f"{name}.self.{part}")
                   .view(n, self.heads, -1).transpose(0, 1)
                   for part in ("query", "key", "value"))
        scores = q @ k.transpose(1, 2) / math.sqrt(width // self.heads)
        mixed = (scores.softmax(-1) @ v).transpose(0, 1).reshape(n, width)
        return self.norm(self.linear(mixed, name + ".output.dense") + x,
                         name + ".output.LayerNorm")

    def embed(self, ids):
        e = "embeddings."
        x = (self.w[e + "word_embeddings.weight"][ids]
             + self.w[e + "position_embeddings.weight"][:len(ids)]
             + self.w[e + "token_type_embeddings.weight"][0])
        x = self.norm(x, "embeddings.LayerNorm")
        for i in range(self.layers):
            name = f"encoder.layer.{i}"
            x = self.attention(x, name + ".attention")
            y = F.gelu(self.linear(x, name + ".intermediate.dense"))
            x = self.norm(self.linear(y, name + ".output.dense") + x,
                          name + ".output.LayerNorm")
        return F.normalize(x.mean(0), dim=0)


def main():
    folder, backend, out = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the order of additions must not vary
    config = json.loads((folder / "config.json").read_text())
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    vocab = {word: i for i, word in enumerate(lines)}
    encoder = Encoder(load(folder / "model.safetensors", backend), config)
    with torch.no_grad():
        found = torch.stack([encoder.embed(token_ids(s, vocab))
                             for s in SENTENCES])
    same, other = (found[0] @ found[1]).item(), (found[0] @ found[2]).item()
    print(f"{backend}: paraphrase {same:.4f}, unrelated {other:.4f}")
    if not same > other + 0.2:
        sys.exit("the embeddings make no sense")
    pathlib.Path(out).write_bytes(found.numpy().tobytes())


if __name__ == "__main__":
    main()
