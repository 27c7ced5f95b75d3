#!/bin/sh
# Completion: what the program offers is what --help lists, and the scripts of
# the three shells pass it on.
. "${top_srcdir:?}/tests/cli/lib.sh"
scripts=$top_srcdir/data/completions
PATH=$(dirname "$MIHFS"):$PATH
export PATH

# --- the program --------------------------------------------------------

# words OUTPUT: the candidates alone, sorted
words()
{
	sed 1d "$1" | cut -f 1 | sort
}

# Every long option and letter of a command's --help.
listed()
{
	mihfs "$1" --help | sed -n '/^options:/,$s/^  //p' |
		grep -oE '^(-., +| *)--[a-z0-9.-]+' |
		grep -oE -- '--?[a-zA-Z0-9.-]+' |
		sort -u
}

run mihfs --complete
words "$out" >"$work/commands"
mihfs --help | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | sort \
	>"$work/listed"
ok "every command is offered" cmp "$work/listed" "$work/commands"
while read -r command; do
	expect 0 "$command" mihfs --complete "$command" -
	words "$out" >"$work/offered"
	listed "$command" >"$work/listed"
	ok "$command: the options of --help" cmp "$work/listed" "$work/offered"
done <"$work/commands"

# said ANSWER: stdout in one line
said()
{
	[ "$(tr '\n' ' ' <"$out" | tr -s ' ')" = "$1 " ]
}

# kind WHAT PATHS WORD...: which paths would do behind these words
kind()
{
	what=$1 paths=$2
	shift 2
	expect 0 "$what" mihfs --complete "$@"
	ok "$what: $paths" [ "$(head -n 1 "$out")" = "$paths" ]
}

kind "a file" file verify --public-key ""
kind "a folder" folder verify --trust_dir ""
kind "the value in one word" file verify --public-key=x
kind "the value in three words" folder verify --trust-dir = x
kind "an operand" file verify ""
kind "one operand too many" none verify model ""
kind "a second operand" file --root x model ""
kind "behind --" file verify -- -m
kind "free text" none sign --password ""
kind "a value behind a letter" none digest -a ""
expect 2 "no such command" mihfs --complete frobnicate ""

# --- bash ---------------------------------------------------------------

# As readline calls it: bash takes "--name=value" for three words.
cat >"$work/drive.bash" <<'END'
. "$1"
shift
compopt() { printf '<%s>\n' "$2"; }
COMP_WORDS=(mihfs "$@") COMP_CWORD=$#
$(complete -p mihfs | sed 's/.*-F \([^ ]*\).*/\1/') mihfs "${!#}" "${@: -2:1}"
printf '%s\n' "${COMPREPLY[@]}"
END

# in_bash WHAT ANSWER WORD...: the whole answer, in one line
in_bash()
{
	what=$1 answer=$2
	shift 2
	run bash "$work/drive.bash" "$scripts/bash/mihfs" "$@"
	ok "bash: $what" said "$answer"
}

if command -v bash >/dev/null; then
	in_bash "a command" verify ver
	in_bash "an option" --public-key verify --pub
	in_bash "a choice" cache --serve c
	in_bash "a choice behind =" cache --serve = c
	in_bash "a choice behind = alone" "auto cache direct stage" --serve =
	in_bash "a file" "<default>" verify --public-key ""
	in_bash "a folder" "<dirnames>" verify --trust-dir ""
	in_bash "nothing" "" frobnicate ""
fi

# --- zsh ----------------------------------------------------------------

cat >"$work/drive.zsh" <<'END'
_describe() { print -l -- "${(@)${(@P)4}%%:*}"; }
_files() { print "<files $*>"; }
compset() { }
script=$1
shift
words=(mihfs "$@")
CURRENT=$#words
. $script
END
in_zsh()
{
	what=$1 answer=$2
	shift 2
	run zsh -f "$work/drive.zsh" "$scripts/zsh/_mihfs" "$@"
	ok "zsh: $what" said "$answer"
}

if command -v zsh >/dev/null; then
	in_zsh "a command" verify ver
	in_zsh "an option" --public-key verify --pub
	in_zsh "a choice behind =" --serve=cache --serve=c
	in_zsh "a file" "<files >" verify --public-key ""
	in_zsh "a folder" "<files -/>" verify --trust-dir ""
fi

# --- fish ---------------------------------------------------------------

# in_fish WHAT ANSWER LINE: the candidates without their descriptions
in_fish()
{
	# shellcheck disable=SC2016
	run env HOME="$work" fish --no-config -c \
		'source $argv[1]; cd $argv[2]; complete -C $argv[3]' \
		"$scripts/fish/mihfs.fish" "$work/folder" "$3"
	cut -f 1 "$out" >"$work/names" && mv "$work/names" "$out"
	ok "fish: $1" said "$2"
}

if command -v fish >/dev/null; then
	mkdir -p "$work/folder/keys"
	: >"$work/folder/key.pub"
	in_fish "a command" verify "mihfs ver"
	in_fish "an option" --public-key "mihfs verify --pub"
	in_fish "a choice behind =" --serve=cache "mihfs --serve=c"
	in_fish "a file" "key.pub keys/" "mihfs verify --public-key k"
	in_fish "a file behind =" --public-key=key.pub \
		"mihfs verify --public-key=key.p"
	in_fish "a folder" keys/ "mihfs verify --trust-dir k"
fi
finish
