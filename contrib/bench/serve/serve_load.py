#!/usr/bin/env python3
"""Load safetensors shards from processes at once, or a model by transformers.

usage: serve_load.py shape DIR BYTES
       serve_load.py shards DEVICE FILE...
       serve_load.py program DIR DEVICE

"shape" writes what makes DIR a Llama of about BYTES in bfloat16: its
configuration, its index, and the heads of its shards, each with the bytes that
have to follow (NAME.head; the first line of its output per shard: NAME BYTES).
"shards" loads each FILE with safetensors' load_file in a process of its own;
"program" has transformers load the model in DIR. Both say "ready" once
everything is imported and the device is awake, wait for a line, and then print
the seconds that the loading took.
"""
import json
import multiprocessing
import os
import struct
import sys
import time

NSHARDS = 4


def llama(nbytes):
    """A configuration whose weights take about @nbytes in bfloat16."""
    hidden = 4096 if nbytes > 1 << 32 else 512
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "hidden_size": hidden, "intermediate_size": 7 * hidden // 2,
        "num_attention_heads": 32, "num_key_value_heads": 8,
        "vocab_size": 32000, "torch_dtype": "bfloat16",
        "rms_norm_eps": 1e-5, "tie_word_embeddings": False,
        "max_position_embeddings": 2048,
    }
    layer = sum(a * b for _, (a, b) in layer_shapes(config))
    outside = 2 * 32000 * hidden
    config["num_hidden_layers"] = max(
        4, round((nbytes / 2 - outside) / layer))
    return config


def layer_shapes(config):
    h, i = config["hidden_size"], config["intermediate_size"]
    kv = h // 4
    return [("self_attn.q_proj", (h, h)), ("self_attn.k_proj", (kv, h)),
            ("self_attn.v_proj", (kv, h)), ("self_attn.o_proj", (h, h)),
            ("mlp.gate_proj", (i, h)), ("mlp.up_proj", (i, h)),
            ("mlp.down_proj", (h, i))]


def tensors(config):
    h, vocab = config["hidden_size"], config["vocab_size"]
    yield "model.embed_tokens.weight", (vocab, h)
    for n in range(config["num_hidden_layers"]):
        for name, shape in layer_shapes(config):
            yield f"model.layers.{n}.{name}.weight", shape
        yield f"model.layers.{n}.input_layernorm.weight", (h,)
        yield f"model.layers.{n}.post_attention_layernorm.weight", (h,)
    yield "model.norm.weight", (h,)
    yield "lm_head.weight", (vocab, h)


def size_of(shape):
    n = 2
    for side in shape:
        n *= side
    return n


def write_head(path, shard):
    head, at = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shard:
        end = at + size_of(shape)
        head[name] = {"dtype": "BF16", "shape": shape,
                      "data_offsets": [at, end]}
        at = end
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
    return at


def shape_model(folder, nbytes):
    config = llama(nbytes)
    names = list(tensors(config))
    total = sum(size_of(shape) for _, shape in names)
    shards, filled = [[]], 0
    for name, shape in names:
        if filled >= total / NSHARDS * len(shards) and len(shards) < NSHARDS:
            shards.append([])
        shards[-1].append((name, shape))
        filled += size_of(shape)
    index = {"metadata": {"total_size": total}, "weight_map": {}}
    for i, shard in enumerate(shards):
        file = f"model-{i + 1:05}-of-{len(shards):05}.safetensors"
        rest = write_head(os.path.join(folder, file), shard)
        index["weight_map"].update((name, file) for name, _ in shard)
        print(file, rest)
    for name, what in (("config.json", config),
                       ("model.safetensors.index.json", index)):
        with open(os.path.join(folder, name), "w") as out:
            json.dump(what, out)


def wake(device):
    import torch
    torch.zeros(1, device=device)
    return torch


def load_shard(path, device, barrier):
    from safetensors.torch import load_file
    torch = wake(device)
    barrier.wait()
    barrier.wait()
    held = load_file(path, device=device)
    if device == "cpu":  # it only maps: have every byte read
        for tensor in held.values():
            tensor.view(torch.uint8).reshape(-1)[::4096].sum()
    else:
        torch.cuda.synchronize()
    barrier.wait()


def load_shards(device, paths):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(paths) + 1)
    workers = [context.Process(target=load_shard,
                               args=(path, device, barrier), daemon=True)
               for path in paths]
    for worker in workers:
        worker.start()
    barrier.wait(120)
    start = go()
    barrier.wait()
    barrier.wait(300)
    print(f"{time.monotonic() - start:.6f}")


def go():
    print("ready", flush=True)
    sys.stdin.readline()
    return time.monotonic()


def program(folder, device):
    import transformers
    torch = wake(device)
    start = go()
    model = transformers.AutoModel.from_pretrained(
        folder, torch_dtype=torch.bfloat16, local_files_only=True)
    model.to(device)
    if device != "cpu":
        torch.cuda.synchronize()
    print(f"{time.monotonic() - start:.6f}")


def main():
    what = sys.argv[1]
    if what == "shape":
        shape_model(sys.argv[2], int(sys.argv[3]))
    elif what == "shards":
        load_shards(sys.argv[2], sys.argv[3:])
    else:
        program(sys.argv[2], sys.argv[3])


if __name__ == "__main__":
    main()
