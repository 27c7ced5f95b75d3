#!/bin/sh
# Every case of the fixtures, as a user would check it: answered as expected,
# and by a message that names the bundle and the step that failed.
. "${top_srcdir:?}/tests/cli/lib.sh"
fixtures=$top_srcdir/tests/fixtures

# The cases of a folder, fields between tabs. The files have one member a line;
# a case ends with its closing brace.
cases() {
	awk -F '"' -v OFS='\t' '
	NF >= 5 { v[$2] = $4 }
	/^  }/ {
		print v["name"], v["bundle"], v["model"], v["expect"],
			v["check"], v["public_key"] "", v["certificate_chain"] "",
			v["trusted_root"] "", v["identity"] "",
			v["issuer"] "", v["verify_time"] ""
		split("", v)
	}' "$1"
}

# step CHECK: what a message says of this step, as a regular expression
step() {
	case $1 in
	hint) echo ': key: expected sha256:.*, found sha256:' ;;
	dsse-signature) echo ': signature: not made by|: certificate usage: ' ;;
	statement) echo ': (_type|predicate|predicateType|subject)[. ]' ;;
	resource-name) echo ": (predicate\.)?resource" ;;
	digest-form) echo ': predicate\.resources\[0\]\.digest must be' ;;
	root-digest) echo ' root digest .* expected [0-9a-f]*, found ' ;;
	signature-count) echo 'signatures must hold exactly one signature' ;;
	base64) echo 'payload is not base64: ' ;;
	json) echo 'not strict JSON: ' ;;
	payload-type) echo ': dsseEnvelope\.payloadType ' ;;
	media-type) echo ': mediaType ' ;;
	material) echo ': verificationMaterial\.' ;;
	leaf-time | time) echo ': certificate validity: .* not at 20' ;;
	leaf-usage) echo ': certificate usage: ' ;;
	chain) echo ': certificate chain: .*certificate [0-9]' ;;
	identity) echo ": identity: expected '.*', found '" ;;
	issuer) echo ": (identity )?issuer: expected '.*', found '" ;;
	set) echo ': signed entry timestamp: not by log .* at 20' ;;
	inclusion-proof) echo ': inclusion proof: ' ;;
	checkpoint*) echo ': checkpoint: .*\(key hint [0-9a-f]{8}\)' ;;
	sct) echo ': SCT: ' ;;
	log-body | body-*) echo ': log entry body' ;;
	rfc3161) echo ': RFC 3161 timestamp: of 20' ;;
	log-missing) echo ': transparency log: no entry' ;;
	no-time) echo ': time of signing: neither ' ;;
	*) echo "no such step: $1" ;;
	esac
}

# judge NAME OPTION...: verify what the fields of a case say
judge() {
	what=$1
	shift
	code_wanted=1
	[ "$verdict" = pass ] && code_wanted=0
	expect $code_wanted "$what" "$MIHFS" verify \
		--signature "$dir/$bundle" "$@" "$dir/$model"
	[ "$verdict" = pass ] && return
	says "$what: the bundle is named" "$bundle: "
	ok "$what: the step is named ($check)" \
		grep -qE -e "$(step "$check")" "$err"
}

tab=$(printf '\t')
for folder in key cert keyless keyless-kinds; do
	dir=$fixtures/$folder
	# No field may be empty: the shell takes tabs in a row for one.
	cases "$dir/expect.json" | sed -e "s/$tab$tab/$tab-$tab/g" \
		-e "s/$tab$tab/$tab-$tab/g" -e "s/$tab\$/$tab-/" >"$work/cases"
	ok "$folder: all cases are found" [ "$(wc -l <"$work/cases")" -eq \
		"$(grep -c '"name":' "$dir/expect.json")" ]
	ok "$folder: there are many" [ "$(wc -l <"$work/cases")" -ge 18 ]
	while IFS=$tab read -r name bundle model verdict check key chain root \
		identity issuer time; do
		case $folder in
		key) judge "$folder/$name" --public-key "$dir/$key" ;;
		cert)
			set -- --certificate-chain "$dir/$chain"
			[ "$time" = - ] || set -- "$@" --at-signing-time
			judge "$folder/$name" "$@"
			;;
		*) judge "$folder/$name" --trusted-root "$dir/$root" \
			--identity "$identity" --identity-provider "$issuer" ;;
		esac
	done <"$work/cases"
done

# The other methods are refused, not misread.
for sig in cert/good.sig keyless/good.sig; do
	bundle=$fixtures/$sig
	expect 4 "$sig with a key" "$MIHFS" verify --signature "$bundle" \
		--public-key "$fixtures/key/p256.pub.pem" "$fixtures/key/model"
	one_line "$sig with a key"
done
finish
