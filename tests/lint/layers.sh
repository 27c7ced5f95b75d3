#!/bin/sh
# Includes point down the layers and never sideways; libraries are known only
# where they belong.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
cd "$top_srcdir" || exit 1

# What each folder may include: itself and what is below it.
below()
{
	case $1 in
	util) echo util ;;
	sandbox) echo sandbox util ;;
	hash) echo hash util ;;
	tree | gpu | sig) echo "$1" hash util ;;
	verify) echo verify tree gpu sig hash util ;;
	status) echo status verify tree gpu sig hash sandbox util ;;
	fs) echo fs status verify tree gpu sig hash sandbox util ;;
	cli) echo cli fs status verify tree gpu sig hash sandbox util ;;
	*) return 1 ;;
	esac
}

# "file:line:name" of every include of the form $2 ('"' or '<') under $1.
includes()
{
	find "$1" -type f \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cl' \) \
		-exec grep -nH "^[[:space:]]*#[[:space:]]*include[[:space:]]*$2" {} + |
		sed 's/^\([^:]*:[0-9]*\):[^"<]*["<]\([^">]*\).*/\1:\2/'
}

upward()
{
	includes "src/$1" '"' | while IFS=: read -r file line name; do
		folder=${name%%/*}
		case " $(below "$1") " in
		*" $folder "*) ;;
		*) echo "$file:$line: \"$name\" is not below src/$1" ;;
		esac
		case $name in
		*_internal.h)
			[ "$folder" = "$1" ] ||
				echo "$file:$line: \"$name\" belongs to $folder"
			;;
		esac
	done
}

# Who may know a library: "pattern: folders".
libraries='openssl/: sig hash
jansson: sig cli
microhttpd: cli
fuse: fs
linux/fuse: fs sandbox
seccomp: sandbox
cuda: gpu
nvml: gpu
CL/: gpu
xxhash: tree'

strangers()
{
	includes "src/$1" '<' | while IFS=: read -r file line name; do
		echo "$libraries" | while IFS=: read -r pattern allowed; do
			case $name in "$pattern"*) ;; *) continue ;; esac
			case " $allowed " in
			*" $1 "*) ;;
			*) echo "$file:$line: <$name> is for:$allowed" ;;
			esac
		done
	done
}

for path in src/*/; do
	folder=${path#src/}
	folder=${folder%/}
	if ! below "$folder" >/dev/null; then
		tap_not_ok "src/$folder has a place among the layers"
		continue
	fi
	tap_empty "src/$folder includes only what is below it" \
		"$(upward "$folder")"
	tap_empty "src/$folder knows no library of other folders" \
		"$(strangers "$folder")"
done
tap_done
