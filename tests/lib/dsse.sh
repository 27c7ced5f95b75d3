# tests/lib/dsse.sh - sign a statement by openssl alone; sourced, not run.
#
# Needs $work, to write to, and the key pair $key, $pub.
# shellcheck shell=sh
# shellcheck disable=SC2154 # they come from mount.sh or cli/lib.sh

# sign_payload BUNDLE - what $work/payload says
sign_payload()
{
	type=application/vnd.in-toto+json
	{
		printf 'DSSEv1 28 %s %d ' $type "$(wc -c <"$work/payload")"
		cat "$work/payload"
	} | openssl dgst -sha256 -sign "$key" -out "$work/sig" &&
		hint=$(sha256sum "$pub") &&
		cat >"$1" <<END
{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",
"verificationMaterial":{"publicKey":{"hint":"${hint%% *}"},"tlogEntries":[]},
"dsseEnvelope":{"payload":"$(base64 -w 0 "$work/payload")",
"payloadType":"$type",
"signatures":[{"sig":"$(base64 -w 0 "$work/sig")","keyid":""}]}}
END
}
