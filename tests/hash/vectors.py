#!/usr/bin/env python3
"""Turn vectors.json into the C table on standard output (vectors.c)."""
import json
import sys

FIELDS = ("blake3", "blake3-layer64k-sha256",
          "mth4k-sha256", "mth4k-sha256-layer64k-sha256",
          "mth4k-sha512", "mth4k-sha512-layer64k-sha256",
          "mth4k-sha3-256", "mth4k-sha3-256-layer64k-sha256",
          "lthash16-sha256")


def main():
    print("/* Made from vectors.json by vectors.py; do not edit. */")
    print('#include "hash/vectors.h"\n')
    print("const struct vector vectors[] = {")
    with open(sys.argv[1], encoding="ascii") as f:
        table = json.load(f)["vectors"]
        for v in table:
            print("\t{ .len = %d," % v["length"])
            for field in FIELDS:
                print('\t  .%s =\n\t\t"%s",' % (field.replace("-", "_"),
                                              v[field]))
            print("\t},")
    print("};")
    print("const size_t nvectors = %d;" % len(table))


if __name__ == "__main__":
    main()
