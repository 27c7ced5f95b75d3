"""What the reference implementation refuses, mihfs refuses.

	interop_mutants.py statement|bundle|keyless MIHFS FIXTURES WORK

Changes each part of a good bundle in turn (of "statement" what is signed, and
signs it again) and asks both. The status is 1 if mihfs alone takes one, and it
is printed.
"""

import base64
import copy
import json
import logging
import pathlib
import subprocess
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from model_signing import hashing, verifying

TYPE = "application/vnd.in-toto+json"
VALUES = [None, "", "x", "0", "AAAA", 0, 1, -1, 1.5, True, [], {}, [{}],
          {"x": 1}, 2**63 - 1, 10**20]
CONFIG = {
    "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
    "signingConfig": {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [], "oidcUrls": [], "rekorTlogUrls": [], "tsaUrls": [],
        "rekorTlogConfig": {"selector": "ANY"}, "tsaConfig": {"selector": "ANY"},
    },
}

# Taken on purpose: JSON of Protobuf has null for what is absent, numbers for
# texts of digits, and leaves out zeros; links are not followed unless it is
# said; a path "" leaves nothing out; each of several entries and timestamps is
# checked, so that there may be more, even the same.
TAKEN = [
    ("statement", "without", "allow_symlinks"),
    ("statement", None, "ignore_paths"),
    ("statement", "", "ignore_paths"),
    ("bundle", None, "tlogEntries"),
    ("keyless", "twice", "tlogEntries"),
    ("keyless", "twice", "rfc3161Timestamps"),
    ("keyless", None, "rfc3161Timestamps"),
    *[("keyless", what, f"tlogEntries.{member}")
      for what in ("without", None, 0, 1, 2**63 - 1)
      for member in ("logIndex", "integratedTime")],
]


def is_taken(kind, what, path):
    at = ".".join(key for key in path if isinstance(key, str))
    return any(kind == k and what is w or
               kind == k and type(what) is type(w) and what == w
               for k, w, end in TAKEN if at.endswith(end))


# --- changes ---------------------------------------------------------------


def nodes(value, path=()):
    if path:
        yield path, value
    children = (value.items() if isinstance(value, dict) else
                enumerate(value) if isinstance(value, list) else ())
    for key, child in children:
        yield from nodes(child, path + (key,))


def texts(text):
    """Other texts that somebody could read as the same."""
    return {text.upper(), text.lower(), text + " ", " " + text, text + "\n",
            text + "\0", text + "/", "/" + text, "./" + text, text + "=",
            text[:-1], text[4:], text.replace("/", "//"), "\ufeff" + text,
            text.replace("a", "\u0430"), text + "\u0301",
            text.replace("\n\n", "\n", 1), text.replace("\n", "\r\n")} - {text}


def changed(document, path, change):
    """A copy in which @change has been done to the owner of @path."""
    copied = copy.deepcopy(document)
    owner = copied
    for key in path[:-1]:
        owner = owner[key]
    change(owner, path[-1])
    return copied


def put(value):
    return lambda owner, key: owner.__setitem__(key, copy.deepcopy(value))


def mutants(document):
    """Each as (what, path, document)."""
    for path, value in list(nodes(document)):
        yield "without", path, changed(document, path,
                                       lambda owner, key: owner.pop(key))
        for other in VALUES:
            yield other, path, changed(document, path, put(other))
        if isinstance(value, str):
            for other in sorted(texts(value)):
                yield other, path, changed(document, path, put(other))
        if isinstance(value, list) and value:
            yield "twice", path, changed(document, path,
                                         put(value + value[:1]))
            yield "reversed", path, changed(document, path, put(value[::-1]))
        if isinstance(value, dict):
            yield "more", path, changed(document, path,
                                        put({**value, "more": 1}))


# --- verifiers -------------------------------------------------------------


class Both:
    def __init__(self, mihfs, model, bundle, options, configure):
        self.model, self.bundle = model, bundle
        self.command = [mihfs, "verify", "--quiet", "--signature", bundle,
                        *options, model]
        self.configure = configure

    def reference(self):
        # A new one each time: it keeps the ignored paths of what it has read.
        config = self.configure(verifying.Config()).set_hashing_config(
            hashing.Config().set_ignored_paths(paths=[]))
        try:
            config.verify(self.model, self.bundle)
        except Exception:  # of any kind: it said no
            return False
        return True

    def ours(self):
        status = subprocess.run(self.command, stderr=subprocess.DEVNULL,
                                check=False).returncode
        if status not in (0, 1):
            raise SystemExit(f"mihfs ended with {status}")
        return status == 0

    def ask(self, text):
        self.bundle.write_text(text, encoding="utf-8")
        return self.reference(), self.ours()


def sign(key, payload):
    encoded = f"DSSEv1 {len(TYPE)} {TYPE} {len(payload)} ".encode() + payload
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": TYPE,
        "signatures": [{"sig": base64.b64encode(
            key.sign(encoded, ec.ECDSA(hashes.SHA256()))).decode(),
            "keyid": ""}],
    }


def by_key(kind, mihfs, fixtures, work):
    """A pair of verifiers, and all bundles, the good one first."""
    folder = fixtures / "key"
    public = folder / "p256.pub.pem"
    key = serialization.load_pem_private_key(
        (folder / "p256.key.pem").read_bytes(), None)
    good = json.loads((folder / "good-p256.sig").read_bytes())
    statement = json.loads(base64.b64decode(good["dsseEnvelope"]["payload"]))
    both = Both(mihfs, folder / "model", work / "mutant.sig",
                ["--public-key", public],
                lambda c: c.use_elliptic_key_verifier(public_key=public))

    def bundles():
        yield "good", (), good
        for what, path, other in mutants(
                good if kind == "bundle" else statement):
            if kind == "statement":
                payload = json.dumps(other).encode()
                other = {**good, "dsseEnvelope": sign(key, payload)}
            yield what, path, other
    return both, bundles()


def keyless(_kind, mihfs, fixtures, work):
    folder = fixtures / "keyless"
    root = folder / "trusted_root.json"
    name, issuer = "release@mihfs.test", "https://issuer.mihfs.test"
    good = json.loads((folder / "good.sig").read_bytes())
    trust = work / "trust_config.json"
    trust.write_text(json.dumps(
        {**CONFIG, "trustedRoot": json.loads(root.read_bytes())}))
    both = Both(mihfs, folder / "model", work / "mutant.sig",
                ["--trusted-root", root, "--identity", name,
                 "--identity-provider", issuer],
                lambda c: c.use_sigstore_verifier(
                    identity=name, oidc_issuer=issuer, trust_config=trust))

    def bundles():
        yield "good", (), good
        for what, path, other in mutants(good["verificationMaterial"]):
            yield what, path, {**good, "verificationMaterial": other}
    return both, bundles()


def main():
    kind, mihfs, fixtures, work = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    make = keyless if kind == "keyless" else by_key
    both, bundles = make(kind, mihfs, pathlib.Path(fixtures),
                         pathlib.Path(work))
    alone = total = 0
    for what, path, bundle in bundles:
        reference, ours = both.ask(json.dumps(bundle))
        total += 1
        if what == "good" and not (reference and ours):
            raise SystemExit("the unchanged bundle is refused")
        if ours and not reference and not is_taken(kind, what, path):
            print(f"taken by mihfs alone: {path} {what!r}")
            alone += 1
    print(f"{total} bundles")
    sys.exit(alone > 0 or total < 200)


if __name__ == "__main__":
    main()
