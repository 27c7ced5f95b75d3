# tests/lib/shards.sh - sign a model in shards; after tests/lib/mount.sh
# shellcheck shell=sh
# shellcheck disable=SC2154 # work, key, pub and bundle come from mount.sh

. "${top_srcdir:?}/tests/lib/dsse.sh"

# sign_shards MODEL SIZE [empty] - $bundle, of method "shards", by openssl
# alone, in the order of the entries' names as texts; most tools say nothing
# of empty files
sign_shards()
{
	(cd "$1" && find . -type f -printf '%P %s\n') |
		while read -r name nbytes; do
			[ "$nbytes" -gt 0 ] || [ -z "${3-}" ] ||
				echo "$name:0:0 $(sha256sum </dev/null)"
			from=0
			while [ "$from" -lt "$nbytes" ]; do
				to=$((from + $2))
				[ "$to" -le "$nbytes" ] || to=$nbytes
				sum=$(tail -c +$((from + 1)) "$1/$name" |
					head -c $((to - from)) | sha256sum)
				echo "$name:$from:$to ${sum%% *}"
				from=$to
			done
		done | sed 's/ *-$//' | LC_ALL=C sort >"$work/shards"
	root=$(cut -d ' ' -f 2 "$work/shards" | tr -d '\n' |
		sed 's/../\\x&/g' | xargs -0 printf '%b' | sha256sum)
	{
		printf '{"_type":"https://in-toto.io/Statement/v1",'
		printf '"subject":[{"name":"m","digest":{"sha256":"%s"}}],' \
			"${root%% *}"
		printf '"predicateType":"%s","predicate":{"serialization":' \
			https://model_signing/signature/v1.0
		printf '{"method":"shards","hash_type":"sha256",'
		printf '"shard_size":%d,"allow_symlinks":false},' "$2"
		printf '"resources":['
		sed -e 's/\(.*\) \(.*\)/{"name":"\1","algorithm":"sha256","digest":"\2"}/' \
			-e '$!s/$/,/' "$work/shards" | tr -d '\n'
		printf ']}}'
	} >"$work/payload"
	sign_payload "$bundle"
}
