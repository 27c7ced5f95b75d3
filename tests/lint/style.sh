#!/bin/sh
# The measurable part of the style: sizes, header comments, stray words.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
cd "$top_srcdir" || exit 1

max_lines=600
max_header_lines=250
max_folder_files=14
max_function_lines=100
max_parameters=5

folders=
for f in src tests contrib doc m4; do
	[ -d "$f" ] && folders="$folders $f"
done

# The texts that people wrote: no products of a build, no test data.
texts()
{
	# shellcheck disable=SC2086
	find $folders ./*.md README configure.ac Makefile.am autogen.sh -type f \
		! -name '*.json' ! -name '*.sig' ! -name '*.pem' ! -name '*.bin' \
		! -name '*.o' ! -name '*.log' ! -name '*.trs' ! -name '*.pyc' \
		! -path '*/fixtures/*' ! -path '*/.deps/*' "$@" 2>/dev/null
}

long_files()
{
	texts \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.cu' \) |
		while read -r file; do
			max=$max_lines
			case $file in *.h) max=$max_header_lines ;; esac
			n=$(wc -l <"$file")
			[ "$n" -le "$max" ] || echo "$file: $n lines, at most $max"
		done
}

full_folders()
{
	find src tests -type d | while read -r folder; do
		n=$(find "$folder" -maxdepth 1 -type f \( -name '*.[ch]' \
			-o -name '*.sh' -o -name '*.py' -o -name '*.cu' \
			-o -name '*.cl' \) | wc -l)
		[ "$n" -le $max_folder_files ] ||
			echo "$folder: $n files, at most $max_folder_files"
	done
}

# A header says on its second line which one it is and what for.
nameless_headers()
{
	find src tests -name '*.h' | while read -r file; do
		name=${file#src/}
		sed -n 2p "$file" | grep -q "^ \* $name - ." ||
			echo "$file: line 2 is not \" * $name - <what for>\""
	done
}

# libfuse and libmicrohttpd dictate the form of their callbacks, so those
# parameters do not count.
long_functions()
{
	find src tests contrib -name '*.[ch]' | ctags -L - -f - --fields=neS \
		--c-kinds=f 2>/dev/null |
		awk -F '\t' -v max=$max_function_lines -v maxp=$max_parameters '
		{
			from = to = 0; n = 0
			for (i = 4; i <= NF; i++) {
				if ($i ~ /^line:/) from = substr($i, 6)
				if ($i ~ /^end:/) to = substr($i, 5)
				if ($i ~ /^signature:\(fuse_req_t/) continue
				if ($i ~ /struct MHD_Connection/) continue
				if ($i ~ /fuse_fill_dir_t/) continue
				if ($i ~ /^signature:/) {
					# Commas of a callback are its own.
					sub(/^signature:\(/, "", $i)
					sub(/\)$/, "", $i)
					while (gsub(/\([^()]*\)/, "", $i)) ;
					n = gsub(/,/, ",", $i) + 1
				}
			}
			if (to && to - from + 1 > max)
				print $2 ": " $1 "() has " to - from + 1 " lines, at most " max
			if (n > maxp)
				print $2 ": " $1 "() has " n " parameters, at most " maxp
		}'
}

# What a reader must never meet: places on the author's disk, hosts of package
# registries, notes to self. Brackets keep these lines from finding themselves.
stray_words()
{
	texts | xargs grep -nHIE \
		-e '(^|[^A-Za-z.])/([w]ork|[f]arm|[h]ome/[a-z]+)/' \
		-e '/[t]mp/(b-|wt|land)' \
		-e '[d]eb\.[a-z]+\.org|[r]egistry\.[a-z]+\.(org|com)' \
		-e '[p]y(pi|thonhosted)\.org' \
		-e '\<([F]IXME|[X]XX|[T]ODO)\>'
}

stray_spaces()
{
	texts ! -name '*.md' | xargs grep -nHE '[[:space:]]+$'
}

tap_empty "no file is too long" "$(long_files)"
tap_empty "no folder is too full" "$(full_folders)"
tap_empty "every header names itself" "$(nameless_headers)"
tap_empty "no stray words" "$(stray_words)"
tap_empty "no space at the end of a line" "$(stray_spaces)"
if ctags --version 2>/dev/null | grep -q Universal; then
	tap_empty "no function is too long or takes too much" \
		"$(long_functions)"
else
	tap_skip "no function is too long or takes too much" \
		"universal-ctags is not installed"
fi
tap_done
