#!/usr/bin/env python3
"""Cut the payloads of bundles: seed_bundle.py OUT FILE..."""
import base64
import json
import sys


def main():
    for n, path in enumerate(sys.argv[2:]):
        try:
            with open(path, "rb") as f:
                payload = json.load(f)["dsseEnvelope"]["payload"]
            text = base64.b64decode(payload)
        except (KeyError, TypeError, ValueError):
            continue  # that is what some of them are for
        with open(f"{sys.argv[1]}/payload-{n}", "wb") as f:
            f.write(text)


main()
