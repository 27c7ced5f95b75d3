# tests/lib/flat.sh - a bundle as tools without trees write it; sourced, not run.
#
# Needs $work, to write to, and the key pair $key, $pub.
# shellcheck shell=sh
# shellcheck disable=SC2154 # they come from mount.sh or cli/lib.sh

. "${top_srcdir:?}/tests/lib/dsse.sh"

# sign_flat MODEL BUNDLE - weights.bin with a flat sha256, by openssl alone
sign_flat()
{
	sum=$(sha256sum <"$1/weights.bin")
	root=$(printf '%s' "${sum%% *}" | sed 's/../\\x&/g' |
		xargs -0 printf '%b' | sha256sum)
	{
		printf '{"_type":"https://in-toto.io/Statement/v1",'
		printf '"subject":[{"name":"m","digest":{"sha256":"%s"}}],' \
			"${root%% *}"
		printf '"predicateType":"%s","predicate":{"serialization":' \
			https://model_signing/signature/v1.0
		printf '{"method":"files","hash_type":"sha256"},"resources":'
		printf '[{"name":"weights.bin","algorithm":"sha256",'
		printf '"digest":"%s"}]}}' "${sum%% *}"
	} >"$work/payload"
	sign_payload "$2"
}
