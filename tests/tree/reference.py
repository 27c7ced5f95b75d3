"""Hold sidecars against the reference of the digests and a second reader.

usage: reference.py MAKE_SIDECAR MIHTREE.PY

The reader here was written from doc/format.md section 4 alone and shares no
code with the one in C. Speaks TAP.
"""
import importlib.util
import os
import random
import struct
import subprocess
import sys
import tempfile

GROUP, PAGE = 65536, 8 << 20
NUMBERS = {"blake3": 5, "mth4k-sha256": 6, "mth4k-sha512": 7,
           "mth4k-sha3-256": 8}


def read_sidecar(blob, node):
    """{path: (alg, flags, size, coarse layer, fine layer)}"""
    magic, version, flags, size, nfiles, nsections, zero = struct.unpack_from(
        "<8sIIQQII", blob)
    assert (magic, version, flags) == (b"\x89mihtree", 1, 0)
    assert (size, nsections, zero) == (len(blob), 5, 0)
    sections, end = [], 256
    for i in range(5):
        kind, zero, off, length = struct.unpack_from("<IIQQ", blob,
                                                     40 + 40 * i)
        assert (kind, zero, off) == (i + 1, 0, (end + 63) // 64 * 64)
        sections.append(blob[off:off + length])
        end = off + length
    assert end == size
    index, paths, coarse, fine, hints = sections
    assert len(index) == 64 * nfiles
    files, last = {}, (-1, b"")
    for i in range(nfiles):
        (key, at, n, alg, flags, size, coarse_at, fine_at, _,
         zero) = struct.unpack_from("<QQIHHQQQQQ", index, 64 * i)
        path = paths[at:at + n]
        assert zero == 0 and last < (key, path)
        last = (key, path)
        groups, pages = -(-size // GROUP), -(-size // PAGE)
        files[path.decode()] = (alg, flags, size,
                                coarse[coarse_at:coarse_at + pages * node],
                                fine[fine_at:fine_at + groups * node])
    return files


def expected(ref, name, data):
    """(root, coarse layer, fine layer) by the reference."""
    if name != "blake3":
        h = ref.HASHES[name[len("mth4k-"):]]
        return (ref.mth4k(h, data), b"".join(ref.mth4k_layer(h, data, PAGE)),
                b"".join(ref.mth4k_layer(h, data)))
    root = ref.blake3(data)
    if 0 < len(data) <= GROUP:
        return root, root, root  # a lone group is stored as the root it is
    pack = struct.Struct("<8I").pack
    return (root, b"".join(pack(*cv) for cv in ref.b3_layer(data, PAGE)),
            b"".join(pack(*cv) for cv in ref.b3_layer(data)))


def lengths(name):
    top = 3 * GROUP if name == "blake3" else 2 * PAGE
    edge = [0, 1, 1023, 4097, GROUP - 1, GROUP, GROUP + 1]
    if name != "blake3":
        edge += [PAGE - 1, PAGE, PAGE + 1]
    return edge + [random.randrange(top) for _ in range(4)]


def check(ref, tool, name, folder):
    files = {}
    for n in lengths(name):
        path = os.path.join(folder, "%s %d" % (name, n))
        files[path] = random.randbytes(n)
        with open(path, "wb") as f:
            f.write(files[path])
    sidecar = os.path.join(folder, name + ".tree")
    roots = subprocess.run([tool, name, sidecar, *files], check=True,
                           capture_output=True, text=True).stdout.split()
    with open(sidecar, "rb") as f:
        found = read_sidecar(f.read(), 64 if name == "mth4k-sha512" else 32)
    assert found.keys() == files.keys()
    for (path, data), got in zip(files.items(), roots):
        root, coarse, fine = expected(ref, name, data)
        assert got == root.hex(), (path, "root")
        assert found[path] == (NUMBERS[name], 0, len(data), coarse, fine), path


def main():
    spec = importlib.util.spec_from_file_location("mihtree", sys.argv[2])
    ref = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ref)
    seed = random.randrange(1 << 32)
    random.seed(seed)
    print("1..%d\n# seed %d" % (len(NUMBERS), seed), flush=True)
    failed = 0
    for i, name in enumerate(NUMBERS):
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(ref, sys.argv[1], name, folder)
                verdict = "ok"
            except (AssertionError, subprocess.CalledProcessError) as e:
                print("#", repr(e))
                verdict, failed = "not ok", 1
        print(verdict, i + 1, "- sidecar of", name, flush=True)
    return failed


sys.exit(main())
