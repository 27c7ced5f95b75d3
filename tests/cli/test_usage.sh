#!/bin/sh
# The program itself: help, version, and one line for bad usage.
. "${top_srcdir:?}/tests/cli/lib.sh"

expect 2 "no command" "$MIHFS"
one_line "no command"
says "no command points at --help" "mihfs --help"

expect 2 "an empty command" "$MIHFS" ""
one_line "an empty command"
says "an empty command is no mount" "unknown command"

expect 2 "unknown command" "$MIHFS" frobnicate
one_line "unknown command"
says "unknown command is named" "'frobnicate'"

for word in --help -h; do
	expect 0 "$word" "$MIHFS" $word
	prints "$word: usage" "usage: mihfs"
	ok "$word: stderr is empty" [ ! -s "$err" ]
done
for word in --version -V; do
	expect 0 "$word" "$MIHFS" $word
	ok "$word: one line" grep -qE '^mihfs [0-9]+\.[0-9]+\.[0-9]+$' "$out"
done

expect 2 "control characters in a bad command" "$MIHFS" "$(printf 'a\nb')"
one_line "control characters in a bad command"
finish
