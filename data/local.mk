dist_pkgdata_DATA += data/sigstore/trusted_root.json
EXTRA_DIST += data/sigstore/README.md
