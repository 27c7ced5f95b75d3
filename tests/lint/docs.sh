#!/bin/sh
# The documents agree with the program and with the tree.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${MIHFS:=./mihfs}"
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
cd "$top_srcdir" || exit 1
page=doc/mihfs.1

if command -v mandoc >/dev/null; then
	tap_empty "mandoc has nothing to say about $page" \
		"$(mandoc -Tlint -W warning $page 2>&1)"
else
	tap_skip "mandoc has nothing to say about $page" "no mandoc here"
fi

# The program's own list of commands.
commands=$("$MIHFS" --help | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
tap_check "the program lists its commands" test -n "$commands"
for command in $commands; do
	tap_check "$page explains $command" grep -qx "\.Ss $command" $page
done

# Long options that the program says it has, and those the page explains.
said()
{
	for command in $commands; do
		"$MIHFS" "$command" --help 2>/dev/null
	done | grep -oE -- '--[a-z]([a-z0-9-]|\.[0-9])+' | sort -u
}

# Each option has an ".It" of its own; "Fl -name" would be another spelling.
explained()
{
	grep '^\.It .*Fl Fl ' $page | grep -oE 'Fl Fl [a-z0-9.-]+' |
		sed 's/Fl Fl /--/' | sort -u
}

# listed OPTION LIST
listed()
{
	echo "$2" | grep -qx -- "$1"
}

options=$(said)
tap_check "the program explains its options" test -n "$options"
for option in $options; do
	case $option in --help | --version) continue ;; esac
	tap_check "$page explains $option" listed "$option" "$(explained)"
done
for option in $(explained); do
	case $option in --help | --version) continue ;; esac
	tap_check "$page speaks of an option that exists: $option" \
		listed "$option" "$options"
done

# Paths of the tree that a document names between backquotes.
missing_paths()
{
	for document in README CONTRIBUTING.md SECURITY.md doc/*.md; do
		# shellcheck disable=SC2016
		grep -oE '`(src|tests|contrib|doc|m4)/[A-Za-z0-9_./-]*`' \
			"$document" | tr -d '`' | while read -r path; do
			[ -e "$path" ] || echo "$document names $path"
		done
	done
}

unlisted_folders()
{
	for folder in src/*/ tests/*/ contrib/*/; do
		folder=${folder%/}
		[ -d "$folder" ] || continue
		grep -q "${folder#*/}/" CONTRIBUTING.md ||
			echo "CONTRIBUTING.md does not show $folder"
	done
}

tap_empty "documents name only what exists" "$(missing_paths)"
tap_empty "CONTRIBUTING.md shows every folder" "$(unlisted_folders)"
tap_done
