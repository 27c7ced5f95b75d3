#!/usr/bin/env python3
"""Cut seeds for fuzz targets from keyless bundles: seed_keyless.py OUT FILE..."""
import base64
import json
import sys


def parts(bundle):
    material = bundle["verificationMaterial"]
    yield base64.b64decode(material["certificate"]["rawBytes"])
    for entry in material.get("tlogEntries", []):
        yield base64.b64decode(entry["canonicalizedBody"])
        yield entry["inclusionProof"]["checkpoint"]["envelope"].encode()
    stamps = material.get("timestampVerificationData", {})
    for stamp in stamps.get("rfc3161Timestamps", []):
        yield base64.b64decode(stamp["signedTimestamp"])


def main():
    n = 0
    for path in sys.argv[2:]:
        with open(path, "rb") as f:
            text = f.read()
        content = json.loads(text)
        is_bundle = "verificationMaterial" in content
        for part in parts(content) if is_bundle else [text]:
            with open(f"{sys.argv[1]}/{n}", "wb") as f:
                f.write(part)
            n += 1


main()
