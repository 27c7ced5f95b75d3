#!/bin/sh
# TAP: every manifest is one that Kubernetes takes, field by field; the plain
# ones are what the overlays say; and a misspelled field is noticed.
#
# kubernetes-validate comes from PyPI into $MIHFS_TEST_CACHE (default:
# ~/.cache/mihfs-test), in a virtual environment of its own.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/tap.sh
. "$here/../../tests/lib/tap.sh"
: "${MIHFS:=mihfs}"
version=1.37.0
cache=${MIHFS_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mihfs-test}
venv=$cache/venv-kubernetes
work=$(mktemp -d "${TMPDIR:-/tmp}/mihfs-check.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

fetch_venv()
{
	"$venv/bin/python" -c 'import sys, importlib.metadata
sys.exit(importlib.metadata.version("kubernetes-validate") != sys.argv[1])' \
		"$version" 2>/dev/null && return
	mkdir -p "$cache" && /usr/bin/python3 -m venv "$venv" &&
		"$venv/bin/pip" install -q "kubernetes-validate==$version"
}

validate()
{
	"$venv/bin/python" "$here/validate.py" "$@"
}

# refuses NAME FILE EXPRESSION: passed if the file as sed changes it is refused,
# and the refusal names the word
refuses()
{
	sed "$3" "$here/$2" >"$work/spoilt.yaml"
	if cmp -s "$here/$2" "$work/spoilt.yaml"; then
		tap_not_ok "$1" "nothing was changed"
	elif validate --mihfs "$MIHFS" "$work/spoilt.yaml" >"$work/out" 2>&1; then
		tap_not_ok "$1" "it was taken"
	elif grep -q "$4" "$work/out"; then
		tap_ok "$1"
	else
		tap_not_ok "$1" "$(cat "$work/out")"
	fi
}

tap_check "the plain manifests are what the overlays say" "$here/render.sh" \
	--check
if ! fetch_venv >"$work/pip" 2>&1; then
	tap_not_ok "kubernetes-validate $version is there" "$(cat "$work/pip")"
	tap_done
fi
for file in "$here"/plain/*.yaml "$here"/kserve/*.yaml \
	"$here"/model-validation-operator/example/[mp]*.yaml; do
	tap_check "${file#"$here/"} is valid, field by field" \
		validate --mihfs "$MIHFS" "$file"
done

refuses "a misspelled field of an init container" plain/sidecar.yaml \
	s/restartPolicy:/restartPolcy:/ "restartPolcy"
refuses "a misspelled field of a volume" plain/fd-passing.yaml \
	s/sizeLimit:/sizelimit:/ "sizelimit"
refuses "a misspelled field of a claim" plain/sidecar-gpu.yaml \
	s/exactly:/exact:/ "exact"
refuses "a wrong type" plain/node.yaml \
	's/failureThreshold: 150/failureThreshold: "150"/' "150"
refuses "a misspelled field of a pod in an InferenceService" \
	kserve/inferenceservice.yaml s/mountPropagation:/mountPropagaton:/ \
	mountPropagaton
refuses "a misspelled field of an InferenceService" \
	kserve/inferenceservice.yaml s/predictor:/predicter:/ predicter
refuses "a misspelled field of a ModelValidation" \
	model-validation-operator/example/modelvalidation.yaml \
	s/signaturePath:/signaturepath:/ signaturepath
refuses "a kind that nobody describes" kserve/inferenceservice.yaml \
	s/v1beta1/v1beta9/ v1beta9
refuses "an option that mihfs does not have" plain/verify.yaml \
	s/--trust-dir=/--trust-dri=/ trust-dri
refuses "a command that mihfs does not have" plain/fd-passing.yaml \
	's/- fd-helper$/- fd-helpr/' fd-helpr
tap_done
