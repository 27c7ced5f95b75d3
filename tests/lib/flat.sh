# tests/lib/flat.sh - a bundle as tools without trees write it; sourced, not run.
#
# Needs $work, to write to, and the key pair $key, $pub.
# shellcheck shell=sh
# shellcheck disable=SC2154 # they come from mount.sh or cli/lib.sh

# sign_flat MODEL BUNDLE - weights.bin with a flat sha256, by openssl alone
sign_flat()
{
	sum=$(sha256sum <"$1/weights.bin")
	root=$(printf '%s' "${sum%% *}" | sed 's/../\\x&/g' |
		xargs -0 printf '%b' | sha256sum)
	type=application/vnd.in-toto+json
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
	{
		printf 'DSSEv1 28 %s %d ' $type "$(wc -c <"$work/payload")"
		cat "$work/payload"
	} | openssl dgst -sha256 -sign "$key" -out "$work/sig" &&
		hint=$(sha256sum "$pub") &&
		cat >"$2" <<END
{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",
"verificationMaterial":{"publicKey":{"hint":"${hint%% *}"},"tlogEntries":[]},
"dsseEnvelope":{"payload":"$(base64 -w 0 "$work/payload")",
"payloadType":"$type",
"signatures":[{"sig":"$(base64 -w 0 "$work/sig")","keyid":""}]}}
END
}
