#!/bin/sh
# Every case of the key fixtures, as a user would check it.
. "${top_srcdir:?}/tests/cli/lib.sh"
dir=$top_srcdir/tests/fixtures/key

# One case a line: name bundle model public_key expect. The file has one member
# a line; a case ends with its closing brace.
cases() {
	awk -F '"' '
	$2 ~ /^(name|bundle|model|public_key|expect)$/ { v[$2] = $4 }
	/^  }/ {
		print v["name"], v["bundle"], v["model"], v["public_key"],
			v["expect"]
		delete v
	}' "$dir/expect.json"
}

cases >"$work/cases"
ok "all cases are found" [ "$(wc -l <"$work/cases")" -eq \
	"$(grep -c '"name":' "$dir/expect.json")" ]
ok "there are many" [ "$(wc -l <"$work/cases")" -ge 40 ]
while read -r name bundle model public_key verdict; do
	code=1
	[ "$verdict" = pass ] && code=0
	expect $code "$name" "$MIHFS" verify --signature "$dir/$bundle" \
		--public-key "$dir/$public_key" "$dir/$model"
	[ "$verdict" = pass ] || says "$name: the bundle is named" "$bundle: "
done <"$work/cases"

# The other methods are refused, not misread.
for sig in cert/good.sig keyless/good.sig; do
	bundle=$top_srcdir/tests/fixtures/$sig
	[ -e "$bundle" ] || continue
	expect 4 "$sig with a key" "$MIHFS" verify --signature "$bundle" \
		--public-key "$dir/p256.pub.pem" "$dir/model"
	one_line "$sig with a key"
done
finish
