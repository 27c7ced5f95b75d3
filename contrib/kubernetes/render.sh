#!/bin/sh
# Write plain/*.yaml from the overlays, for those who use no kustomize.
#
#	contrib/kubernetes/render.sh           write them (needs kubectl)
#	contrib/kubernetes/render.sh --check   say which are not up to date
#
# Each file names the digest of everything it was made from and that of its own
# text, so that a check needs no kubectl; where there is one, it is asked too.
set -u
cd "$(dirname "$0")" || exit 1

sources()
{
	find base overlays model-validation-operator -type f | LC_ALL=C sort
}

inputs()
{
	# shellcheck disable=SC2002,SC2046 # no name here has blanks
	cat $(sources) | sha256sum | cut -d ' ' -f 1
}

# Another version may order things differently.
version()
{
	kubectl version --client 2>/dev/null |
		sed -n 's/^Kustomize Version: //p'
}

body()
{
	sed 1,5d "plain/$1.yaml"
}

render()
{
	case $1 in
	model-validation-operator) kubectl kustomize "$1/example" ;;
	*) kubectl kustomize "overlays/$1" ;;
	esac
}

names()
{
	for overlay in overlays/*/; do
		basename "$overlay"
	done
	echo model-validation-operator
}

write()
{
	text=$(render "$1") || exit 1
	{
		echo "# Made by contrib/kubernetes/render.sh; change the overlay instead."
		echo "# kustomize: $(version)"
		echo "# inputs: $(inputs)"
		echo "# text: $(printf '%s\n' "$text" | sha256sum | cut -d ' ' -f 1)"
		echo ---
		printf '%s\n' "$text"
	} >"plain/$1.yaml"
}

check()
{
	if ! grep -qx "# inputs: $(inputs)" "plain/$1.yaml"; then
		echo "plain/$1.yaml is older than what it is made from"
	elif ! grep -qx "# text: $(body "$1" | sha256sum | cut -d ' ' -f 1)" \
		"plain/$1.yaml"; then
		echo "plain/$1.yaml was changed by hand"
	elif grep -qx "# kustomize: $(version)" "plain/$1.yaml" &&
		[ "$(render "$1" 2>&1)" != "$(body "$1")" ]; then
		echo "plain/$1.yaml is not what kubectl makes"
	fi
}

case ${1-} in
'')
	for name in $(names); do
		write "$name"
	done
	;;
--check)
	stale=$(for name in $(names); do
		check "$name"
	done)
	[ -z "$stale" ] || {
		echo "$stale"
		exit 1
	}
	;;
*)
	echo "usage: render.sh [--check]" >&2
	exit 2
	;;
esac
