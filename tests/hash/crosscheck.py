#!/usr/bin/env python3
"""Hold the program `digests` against the reference on fresh random files.

Usage: crosscheck.py DIGESTS REFERENCE_FOLDER ROUNDS
"""
import hashlib
import os
import random
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True


def wanted(mihtree, data):
    out = {"mth4k-" + name: mihtree.mth4k(h, data).hex()
           for name, h in mihtree.HASHES.items()}
    out["blake3"] = mihtree.blake3(data).hex()
    out["blake2xb-1000-sha256"] = hashlib.sha256(
        mihtree.blake2xb(data, 1000)).hexdigest()
    return out


def main():
    digests, folder, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    sys.path.insert(0, folder)
    import mihtree
    print("1..%d" % rounds)
    for i in range(1, rounds + 1):
        size = random.randrange(1 << random.randrange(6, 18))
        data = os.urandom(size)
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            text = subprocess.run([digests, file.name], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout
        got = dict(line.split() for line in text.splitlines())
        ok = got == wanted(mihtree, data)
        print("%s %d - %d random bytes" % ("ok" if ok else "not ok", i, size))


if __name__ == "__main__":
    main()
