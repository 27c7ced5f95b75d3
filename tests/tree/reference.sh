#!/bin/sh
# Random files through the sidecar writer, held against tests/reference.
: "${top_srcdir:?}" "${top_builddir:?}"
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
exec python3 "$top_srcdir/tests/tree/reference.py" \
	"$top_builddir/make_sidecar" "$top_srcdir/tests/reference/mihtree.py"
