#!/bin/sh
# The documents agree with the program and with the tree.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${MIHFS:=./mihfs}"
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
cd "$top_srcdir" || exit 1

# That a page is not installed here, or not indexed, says nothing about ours.
lint()
{
	mandoc -Tlint -W style "$1" 2>&1 |
		grep -vE 'referenced manual not found|outdated mandoc\.db'
}

for page in doc/*.[1-8]; do
	if command -v mandoc >/dev/null; then
		tap_empty "mandoc has nothing to say about $page" \
			"$(lint "$page")"
	else
		tap_skip "mandoc has nothing to say about $page" "no mandoc here"
	fi
done

# What the program says it has; the first line is about paths.
commands=$("$MIHFS" --complete | sed 1d | cut -f 1)
tap_check "the program lists its commands" test -n "$commands"
for command in $commands; do
	tap_check "doc/mihfs.1 explains $command" \
		grep -qx "\.Ss $command" doc/mihfs.1
done

# A command has a page of its own or shares the first.
page_of()
{
	if [ -f "doc/mihfs-$1.1" ]; then
		echo "doc/mihfs-$1.1"
	else
		echo doc/mihfs.1
	fi
}

# The options of the commands that PAGE is for, letters too.
said()
{
	for command in $commands; do
		[ "$(page_of "$command")" != "$1" ] ||
			"$MIHFS" --complete "$command" - | sed 1d | cut -f 1
	done | sort -u
}

# Each option has an ".It" of its own; "Fl -name" would be another spelling.
explained()
{
	awk '/^\.It .*Fl / {
		for (i = 2; i < NF; i++)
			if ($i == "Fl" && $(i + 1) == "Fl")
				print "--" $(i += 2)
			else if ($i == "Fl")
				print "-" $++i
	}' "$1" | sort -u
}

# only LIST OTHER: lines of LIST that OTHER has not
only()
{
	echo "$1" | while read -r option; do
		echo "$2" | grep -qx -e "$option" || echo "$option"
	done
}

for page in doc/mihfs.1 doc/mihfs-*.1; do
	said=$(said "$page") explained=$(explained "$page")
	tap_check "$page: the program has options" test -n "$said"
	tap_empty "$page explains every option" "$(only "$said" "$explained")"
	tap_empty "$page explains only what there is" \
		"$(only "$explained" "$said")"
done

# The options that mount.mihfs(8) explains and nobody takes: neither we, by the
# long name, nor FUSE.
untaken_words()
{
	ours=$("$MIHFS" --complete mount - | sed 1d | cut -f 1)
	sed -n '/^\.Sh OPTIONS/,/^\.Sh FILES/s/^\.It Cm \([^ ]*\).*/\1/p' \
		doc/mount.mihfs.8 | while read -r word; do
		echo "$ours" | grep -qx -e "--$word" ||
			grep -q "\"$word\"" src/cli/service/mount_helper.c ||
			echo "$word"
	done
}

# usage_letters: as the program has them
usage_letters()
{
	dir=$(mktemp -d) || return
	ln -s "$(realpath "$MIHFS")" "$dir/mount.mihfs"
	"$dir/mount.mihfs" 2>&1 | sed -n 's/.* \[-\([a-z]*\)\].*/\1/p'
	rm -r "$dir"
}

words=$(grep -c '^\.It Cm ' doc/mount.mihfs.8)
tap_check "doc/mount.mihfs.8 explains options" test "$words" -gt 0
tap_empty "doc/mount.mihfs.8 explains only what there is" "$(untaken_words)"
tap_check "doc/mount.mihfs.8 has the letters of the program" \
	grep -qx "\.Op Fl $(usage_letters)" doc/mount.mihfs.8

# Paths of the tree that a document names between backquotes.
missing_paths()
{
	for document in README CONTRIBUTING.md SECURITY.md doc/*.md \
		doc/recipes/*.md; do
		# shellcheck disable=SC2016
		grep -oE '`(src|tests|contrib|doc|m4)/[A-Za-z0-9_./-]*`' \
			"$document" | tr -d '`' | while read -r path; do
			[ -e "$path" ] || echo "$document names $path"
		done
	done
}

# What a build takes from contrib/deps.sh, the Debian package asks for.
unasked_packages()
{
	sed -n "/^build_packages='/,/'\$/p" contrib/deps.sh |
		grep -oE 'lib[a-z0-9]+-dev|[a-z]+-headers' |
		while read -r package; do
			grep -q "^ ${package}[ ,]" contrib/debian/control ||
				echo "contrib/debian/control lacks $package"
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
tap_empty "the Debian package asks for what a build needs" \
	"$(unasked_packages)"
tap_done
