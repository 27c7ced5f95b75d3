#!/bin/sh
# mihfs digest agrees with the programs everybody has, and with the reference.
. "${top_srcdir:?}/tests/cli/lib.sh"
model=$work/model
make_model "$model"
reference=$top_srcdir/tests/reference/mihtree.py

# same WHAT FILE: stdout of the last command is FILE, in any order of lines
same() {
	sort "$out" >"$work/got"
	sort "$2" >"$work/want"
	ok "$1" cmp -s "$work/got" "$work/want"
}

for pair in sha256sum:sha256 sha512sum:sha512 b2sum:blake2b b3sum:blake3; do
	tool=${pair%:*} algorithm=${pair#*:}
	command -v "$tool" >/dev/null || {
		tests=$((tests + 1))
		echo "ok $tests - $algorithm # SKIP no $tool"
		continue
	}
	(cd "$model" && find ./* -type f -exec "$tool" {} + |
		sed 's,  \./,  ,') >"$work/tool"
	expect 0 "digest -a $algorithm" "$MIHFS" digest -a "$algorithm" "$model"
	ok "$algorithm: nine files" [ "$(wc -l <"$out")" -eq 9 ]
	same "$algorithm as $tool has it" "$work/tool"
done
expect 0 "sha256sum can check it" "$MIHFS" digest -a sha256 "$model"
# shellcheck disable=SC2016
ok "sha256sum -c" sh -c 'cd "$1" && sha256sum --quiet -c <"$2"' - "$model" \
	"$out"

cat >"$work/compare.py" <<'PYTHON'
# Say which digests of `mihfs digest --json` the reference does not give.
import importlib.util, json, pathlib, sys

spec = importlib.util.spec_from_file_location("mihtree", sys.argv[1])
ref = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ref)
model, got = pathlib.Path(sys.argv[2]), json.load(open(sys.argv[3]))
name = got["algorithm"]
hashes = ref.HASHES
bad = []
if name == "lthash16":
    files = sorted(p for p in model.rglob("*") if p.is_file())
    acc = bytes(ref.XOF)
    for p in files:
        data, path = p.read_bytes(), str(p.relative_to(model))
        for off in range(0, max(len(data), 1), ref.GROUP):
            group = data[off:off + ref.GROUP]
            digest = ref.mth4k(hashes["sha256"], group)
            acc = ref.lt_add(acc, ref.lt_element(path, off, len(group),
                                                 digest))
    if acc.hex() != got["digest"]:
        bad.append("the model")
else:
    for f in got["files"]:
        data = (model / f["path"]).read_bytes()
        want = ref.mth4k(hashes[name[len("mth4k-"):]], data)
        if want.hex() != f["digest"] or len(data) != f["size"]:
            bad.append(f["path"])
    if len(got["files"]) != 9:
        bad.append("number of files")
print("\n".join(bad), end="")
PYTHON
if python3 -c '' 2>/dev/null; then
	# the reference is slow: keep the large file small
	pattern 300001 >"$model/a/b/c/weights.bin"
	for algorithm in mth4k-sha256 mth4k-sha512 mth4k-sha3-256 lthash16; do
		expect 0 "digest -a $algorithm" "$MIHFS" digest --json \
			-a $algorithm "$model"
		cp "$out" "$work/json"
		run python3 -B "$work/compare.py" "$reference" "$model" \
			"$work/json"
		ok "$algorithm as the reference has it" \
			[ "$code" -eq 0 -a ! -s "$out" ]
	done
fi

expect 0 "the default" "$MIHFS" digest "$model/empty"
prints "of an empty file" "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c\
a495991b7852b855  empty"
expect 2 "unknown algorithm" "$MIHFS" digest -a md5 "$model"
one_line "unknown algorithm"
says "unknown algorithm is named" "'md5'"
expect 3 "no such model" "$MIHFS" digest "$work/nowhere"
one_line "no such model"
expect 0 "--ignore-paths" "$MIHFS" digest --ignore-paths a "$model"
ok "--ignore-paths: the rest" [ "$(wc -l <"$out")" -eq 4 ]
mkdir "$work/void"
expect 0 "an empty folder" "$MIHFS" digest "$work/void"
ok "an empty folder has no digests" [ ! -s "$out" ]
finish
