# tests/lib/tap.sh - tell results as TAP from a shell script
#
#	. "$top_srcdir/tests/lib/tap.sh"
#	tap_check "what is expected" command args...
#	tap_done
#
# A script ends with status 0 once it has told its results: the plan and the
# "not ok" lines decide, not the status.

tap_count=0
tap_failed=0

# Lines of standard input as comments that belong to the last result.
tap_note()
{
	sed 's/^/#   /'
}

tap_ok()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

# tap_not_ok NAME [WHY]
tap_not_ok()
{
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	if [ -n "${2-}" ]; then
		printf '%s\n' "$2" | tap_note
	fi
}

# tap_skip NAME WHY: this one result could not be taken here.
tap_skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# tap_skip_all WHY: nothing of this script can run here.
tap_skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

# tap_check NAME COMMAND...: passed if COMMAND succeeds; else its output is
# shown.
tap_check()
{
	tap_name=$1
	shift
	if tap_output=$("$@" 2>&1); then
		tap_ok "$tap_name"
	else
		tap_not_ok "$tap_name" "status $? of: $*
$tap_output"
	fi
}

# tap_equal NAME WANTED GOT
tap_equal()
{
	if [ "$2" = "$3" ]; then
		tap_ok "$1"
	else
		tap_not_ok "$1" "wanted: $2
got:    $3"
	fi
}

# tap_empty NAME FINDINGS: passed if there are none.
tap_empty()
{
	if [ -z "$2" ]; then
		tap_ok "$1"
	else
		tap_not_ok "$1" "$2"
	fi
}

tap_done()
{
	echo "1..$tap_count"
	exit 0
}
