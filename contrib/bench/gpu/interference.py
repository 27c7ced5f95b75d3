#!/usr/bin/env python3
"""What verification costs a model that runs on the same GPU.

usage: interference.py COMMAND...

Multiplies matrices in bfloat16 for a while, alone and then with COMMAND running
again and again beside it, in turns, and prints rows of a table: the rate of
each, the best and worst turn, and what is left of the rate.
"""
import subprocess
import sys
import threading
import time

import torch

SIZE = 8192
SECONDS = 5.0
TURNS = 3


def rate(a, b, out):
    """TFLOP/s of products for SECONDS."""
    torch.cuda.synchronize()
    start, n = time.monotonic(), 0
    while time.monotonic() - start < SECONDS:
        for _ in range(20):
            torch.matmul(a, b, out=out)
        torch.cuda.synchronize()
        n += 20
    return n * 2 * SIZE**3 / (time.monotonic() - start) / 1e12


class Beside:
    """COMMAND in a loop, for as long as the block lasts."""

    def __init__(self, command):
        self.command = command
        self.stop = threading.Event()
        self.runs = 0
        self.thread = threading.Thread(target=self.loop)

    def loop(self):
        while not self.stop.is_set():
            subprocess.run(self.command, check=True,
                           stdout=subprocess.DEVNULL)
            self.runs += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def main():
    command = sys.argv[1:]
    if not command:
        sys.exit(__doc__)
    a, b = (torch.randn(SIZE, SIZE, device="cuda", dtype=torch.bfloat16)
            for _ in range(2))
    out = torch.empty_like(a)
    rate(a, b, out)
    alone, both, runs = [], [], 0
    for _ in range(TURNS):
        alone.append(rate(a, b, out))
        with Beside(command) as beside:
            both.append(rate(a, b, out))
        runs += beside.runs
    for name, rates in (("alone", alone), ("beside verify", both)):
        middle = sorted(rates)[len(rates) // 2]
        print(f"| PyTorch {SIZE}^3 bf16 products, {name} | {middle:.0f} "
              f"TFLOP/s ({min(rates):.0f}-{max(rates):.0f}) | | |")
    left = sorted(both)[TURNS // 2] / sorted(alone)[TURNS // 2]
    print(f"| PyTorch keeps, with {runs} verifications in "
          f"{TURNS * SECONDS:.0f} s | {100 * left:.1f} % | | |")


if __name__ == "__main__":
    main()
