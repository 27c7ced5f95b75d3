#!/usr/bin/env python3
"""Cut bundles up: seed_bundle.py [--resources] OUT FILE...

Writes the payloads, or the first resources of each.
"""
import base64
import json
import sys


def payloads(paths):
    for path in paths:
        try:
            with open(path, "rb") as f:
                payload = json.load(f)["dsseEnvelope"]["payload"]
            yield base64.b64decode(payload)
        except (KeyError, TypeError, ValueError):
            continue  # that is what some of them are for


def resources(text):
    try:
        return json.loads(text)["predicate"]["resources"][:4]
    except (KeyError, TypeError, ValueError):
        return []


def main():
    args = sys.argv[1:]
    cut = args[0] == "--resources" and args.pop(0)
    n = 0
    for text in payloads(args[1:]):
        whole = [json.dumps(r).encode() for r in resources(text)]
        for seed in whole if cut else [text]:
            with open(f"{args[0]}/cut-{n}", "wb") as f:
                f.write(seed)
            n += 1


main()
