#!/bin/sh
# The linters themselves: each must find the mistake planted for it, or its
# silence about the real source means nothing.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lint=$(cd "$(dirname "$0")" && pwd)
bad=$(mktemp -d) || exit 1
trap 'rm -rf "$bad"' EXIT

# plant FILE: standard input becomes a file of the bad tree.
plant()
{
	mkdir -p "$(dirname "$bad/$1")"
	cat >"$bad/$1"
}

# What a linter says against the bad tree.
complaints()
{
	MIHFS_EXPECT_FEATURES=$bad/expected top_srcdir=$bad top_builddir=$bad \
		sh "$lint/$1" | grep -A20 "^not ok"
}

# finds LINTER TEXT: the linter complains of TEXT.
finds()
{
	tap_check "$1 finds: $2" grep -qF -- "$2" <<EOF
$(complaints "$1")
EOF
}

plant src/hash/up.c <<'EOF'
#include "verify/engine.h"
#include <fuse_lowlevel.h>
EOF
plant src/tree/peer.c <<'EOF'
# include "sig/trust.h"
#include <openssl/evp.h>
#include "hash/secret_internal.h"
EOF
plant src/odd/new.c </dev/null
mkdir -p "$bad/tests" "$bad/contrib"
finds layers.sh '"verify/engine.h" is not below src/hash'
finds layers.sh '<fuse_lowlevel.h> is for: fs'
finds layers.sh '"sig/trust.h" is not below src/tree'
finds layers.sh '<openssl/evp.h> is for: sig hash'
finds layers.sh '"hash/secret_internal.h" belongs to hash'
finds layers.sh 'src/odd has a place'

yes '/* line */' | head -n 700 | plant src/util/long.c
yes '/* line */' | head -n 300 | plant src/util/long.h
i=0
while [ $i -lt 15 ]; do
	plant "src/sig/many$i.c" </dev/null
	i=$((i + 1))
done
echo "see /home""/somebody/tree" | plant src/util/stray.c
printf 'space \n' | plant src/util/space.c
finds style.sh 'src/util/long.c: 700 lines'
finds style.sh 'src/util/long.h: 300 lines'
finds style.sh 'src/sig: 15 files'
finds style.sh 'src/util/long.h: line 2'
finds style.sh 'src/util/stray.c:1'
finds style.sh 'src/util/space.c:1'
if ctags --version 2>/dev/null | grep -q Universal; then
	{
		echo 'int f(int a, int b, int c, int d, int e, int g, int h)'
		echo '{'
		yes '	a++;' | head -n 120
		echo '}'
	} | plant src/util/endless.c
	finds style.sh 'f() has 123 lines'
	finds style.sh 'f() has 7 parameters'
fi

if command -v cc >/dev/null && command -v ar >/dev/null; then
	(
		cd "$bad" || exit 1
		echo 'int stray(void); int stray(void) { return 0; }' >stray.c
		cc -c stray.c -o libhash_a-stray.o && ar cr libhash.a \
			libhash_a-stray.o && cc -c stray.c -o bytes.o &&
			ar cr libutil.a bytes.o
	)
	finds symbols.sh 'stray lacks mih_hash_'
	finds symbols.sh 'stray lacks mih_bytes_'
fi

echo 'SHA-NI hash path ............ no' | plant config-features.txt
echo 'SHA-NI hash path ............ yes' | plant expected
finds features.sh 'SHA-NI hash path'
tap_done
