# shellcheck shell=sh disable=SC2154
# contrib/bench/serve/jump.sh - the part of serve_all.sh about readers that jump

# tensors: one file of safetensors, of 2 MiB and some each; and as large a file
# that ranks take pieces of
make_tensors()
{
	rm -rf "$work/model"
	mkdir "$work/model"
	n=$((mib / 2))
	awk -v n="$n" -v len=2100000 'BEGIN {
		for (i = 0; i < n; i++)
			text = text (i ? "," : "{") sprintf("\"t.%d\":{" \
				"\"dtype\":\"U8\",\"shape\":[%d]," \
				"\"data_offsets\":[%d,%d]}", i, len,
				i * len, (i + 1) * len)
		text = text "}"
		left = length(text)
		for (i = 0; i < 8; i++) {
			printf "\\0%03o", left % 256
			left = int(left / 256)
		}
		print text }' >"$work/header"
	{
		printf %b "$(head -c 40 "$work/header")"
		tail -c +41 "$work/header" | tr -d '\n'
		random_bytes 1 "$((n * 2100000))"
	} >"$work/model/weights.safetensors"
	random_bytes 2 "$((mib * 1048576))" >"$work/model/ranks"
	rm -f "$work/header"
	sign_model --device cpu
}

# jump TITLE BYTES HOW WAYS FILE: both ways, and in the last column what the
# engine read of it
jump()
{
	title=$1 bytes=$2 how=$3 ways=$4 file=$5
	baseline "$how" "$how" "$ways" "$file"
	for mode in cache direct; do
		measure "$mode" "$how" - "$how" "$ways" "$file"
		first=${devices# }
		name=${first%% *}.$mode.$how.disk
		row "$title, $mode" "$mode" "$how" "$bytes" \
			"$(awk -v n="$(best "$name")" -v of="$bytes" 'BEGIN {
				printf "reads %.2fx", n / of }')"
	done
}

# Readers that jump: the header of the file, or their steps, say where to. The
# file is larger than the cache.
section_tensors()
{
	make_tensors
	kept=$memory memory=64M
	bytes=$(size_of weights.safetensors)
	for how in tensors direct lazy; do
		jump "tensors in no order, $how" "$bytes" "$how" 1 \
			weights.safetensors
	done
	jump "strides of 4 ranks" "$((mib * 1048576))" ranks 4 ranks
	jump "strides of 1 of 4 ranks" "$((mib * 262144))" rank 4 ranks
	memory=$kept
	rm -rf "$work/model"
}
