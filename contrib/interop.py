"""Sign or verify with the Python interface of model_signing.

	interop.py sign|verify MODEL BUNDLE KEY [HASH [SHARD_SIZE [OPTION...]]]

What its command line cannot do: other hashes than sha256, and shards.
OPTION is "links" (follow symbolic links) or the path of a file to leave out.
"""

import pathlib
import sys

from model_signing import hashing, signing, verifying


def hashing_config(algorithm, shard_size, options):
    paths = [pathlib.Path(o) for o in options if o != "links"]
    links = "links" in options
    config = hashing.Config()
    if shard_size:
        config.use_shard_serialization(
            hashing_algorithm=algorithm,
            shard_size=shard_size,
            allow_symlinks=links,
        )
    else:
        config.use_file_serialization(
            hashing_algorithm=algorithm, allow_symlinks=links
        )
    config.set_allow_symlinks(links)
    return config.set_ignored_paths(paths=paths)


def main():
    what, model, bundle, key = sys.argv[1:5]
    algorithm = sys.argv[5] if len(sys.argv) > 5 else "sha256"
    shard_size = int(sys.argv[6]) if len(sys.argv) > 6 else 0
    config = hashing_config(algorithm, shard_size, sys.argv[7:])
    if what == "sign":
        signing.Config().use_elliptic_key_signer(
            private_key=key
        ).set_hashing_config(config).sign(model, bundle)
    else:
        verifying.Config().use_elliptic_key_verifier(
            public_key=key
        ).set_hashing_config(config).verify(model, bundle)


if __name__ == "__main__":
    main()
