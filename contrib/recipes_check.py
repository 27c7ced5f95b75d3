#!/usr/bin/env python3
"""recipes_check.py - load models as the recipes of doc/recipes say.

usage: recipes_check.py make DIR      small models, random but always the same
       recipes_check.py LOADER DIR    load one, print a digest of its weights

LOADER is the name of a function below that begins with "load_".
"""
import concurrent.futures
import hashlib
import multiprocessing
import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load as load_bytes

# A model whose code comes with it.
CODE = """
import torch
from transformers import PretrainedConfig, PreTrainedModel


class OwnConfig(PretrainedConfig):
    model_type = "own"


class OwnModel(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config):
        super().__init__(config)
        self.linear = torch.nn.Linear(64, 64)
"""


def digest(tensors):
    """Over names and bytes, whatever the order in which they came."""
    total = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        total.update(name.encode())
        total.update(tensor.detach().contiguous().numpy().tobytes())
    return total.hexdigest()


def make_transformers(top):
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(vocab_size=4096, hidden_size=256,
                         intermediate_size=512, num_hidden_layers=4,
                         num_attention_heads=4)
    LlamaForCausalLM(config).save_pretrained(top / "llama",
                                             max_shard_size="4MB",
                                             safe_serialization=True)


def make_own_code(top):
    folder = top / "own"
    folder.mkdir()
    (folder / "own.py").write_text(CODE)
    sys.path.insert(0, str(folder))
    import own

    config = own.OwnConfig(auto_map={"AutoConfig": "own.OwnConfig",
                                     "AutoModel": "own.OwnModel"})
    model = own.OwnModel(config)
    model.save_pretrained(folder, safe_serialization=True)
    config.save_pretrained(folder)


def make_diffusers(top):
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

    unet = UNet2DModel(sample_size=16, block_out_channels=(32, 64),
                       down_block_types=("DownBlock2D", "AttnDownBlock2D"),
                       up_block_types=("AttnUpBlock2D", "UpBlock2D"))
    DDPMPipeline(unet, DDPMScheduler()).save_pretrained(
        top / "diffusers", safe_serialization=True)


def make_gguf(top):
    import gguf

    writer = gguf.GGUFWriter(str(top / "model.gguf"), "llama")
    for i in range(8):
        writer.add_tensor(f"blk.{i}.weight", torch.randn(512, 512).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make(top):
    torch.manual_seed(1)
    make_transformers(top)
    make_own_code(top)
    make_diffusers(top)
    make_gguf(top)


def load_transformers(top):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(top / "llama").state_dict()


def load_own_code(top):
    from transformers import AutoModel

    return AutoModel.from_pretrained(top / "own",
                                     trust_remote_code=True).state_dict()


def load_diffusers(top):
    from diffusers import DDPMPipeline

    pipeline = DDPMPipeline.from_pretrained(str(top / "diffusers"),
                                            low_cpu_mem_usage=False)
    return pipeline.unet.state_dict()


def load_gguf(top):
    import gguf

    tensors = gguf.GGUFReader(str(top / "model.gguf")).tensors
    return {t.name: torch.tensor(t.data) for t in tensors}


def shards(top):
    return sorted((top / "llama").glob("*.safetensors"))


def load_mmap(top, backend="mmap"):
    """vLLM's and SGLang's default: tensor by tensor from a mapping."""
    tensors = {}
    for path in shards(top):
        with safe_open(str(path), framework="pt", backend=backend) as handle:
            tensors.update((k, handle.get_tensor(k).clone())
                           for k in handle.keys())
    return tensors


def load_pread(top):
    return load_mmap(top, "pread")


def load_eager(top):
    """vLLM's "eager", SGLang's --weight-loader-disable-mmap."""
    tensors = {}
    for path in shards(top):
        tensors.update(load_bytes(path.read_bytes()))
    return tensors


def read_blocks(path):
    with open(path, "rb") as file:
        while file.read(16 << 20):
            pass


def load_prefetch(top):
    """vLLM's "prefetch": 8 threads read the files, then they are mapped."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(read_blocks, shards(top)))
    return load_mmap(top)


def rank_slices(task):
    """What one of two ranks takes: half of each tensor."""
    path, rank = task
    halves = {}
    with safe_open(str(path), framework="pt") as handle:
        for name in handle.keys():
            part = handle.get_slice(name)
            half = part.get_shape()[0] // 2
            taken = part[half:] if rank else part[:half]
            halves[f"{name}.{rank}"] = taken.clone()
    return digest(halves)


def load_ranks(top):
    """Two processes, each with its slices, as in tensor parallelism."""
    tasks = [(path, rank) for path in shards(top) for rank in (0, 1)]
    with multiprocessing.Pool(2) as pool:
        text = "".join(pool.map(rank_slices, tasks))
    return {"ranks": torch.tensor(list(text.encode()), dtype=torch.uint8)}


def main():
    what, top = sys.argv[1], pathlib.Path(sys.argv[2])
    if what == "make":
        make(top)
    else:
        print(digest(globals()["load_" + what](top)))


if __name__ == "__main__":
    main()
