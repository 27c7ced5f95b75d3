#!/bin/sh
# Dashboard, alert rules and doc/monitoring.md agree with a real mount.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

tests=$top_srcdir/tests/status
monitoring=$top_srcdir/contrib/monitoring

# alerts FILE: their names, as rules or as a table have them
alerts() {
	sed -n -e 's/^ *- alert: *//p' -e 's/^| \(Mihfs[A-Za-z]*\) |.*/\1/p' \
		"$1" | sort
}

mt_begin
command -v python3 >/dev/null || mt_skip "no python3"
mt_model "$work/model"
mt_sign "$work/model"
mt_mount "$work/model" --sandbox=on
printf X | dd of="$work/model/sub/a" bs=1 seek=66000 conv=notrunc 2>/dev/null
cat "$mnt/one-group" "$mnt/sub/a" >/dev/null 2>&1
for file in status.json metrics failures manifest; do
	cp "$mnt/.mihfs/$file" "$work/$file"
done

check "the document names what there is, and nothing else" \
	python3 "$tests/fields.py" "$top_srcdir/doc/monitoring.md" \
	"$work/status.json" "$work/metrics" "$work/failures" "$work/manifest"
check "dashboard and rules use metrics and labels that exist" \
	python3 "$tests/used.py" "$work/metrics" \
	"$monitoring/dashboard.json" "$monitoring/alerts.yml"
check_equal "every alert is explained" \
	"$(alerts "$top_srcdir/doc/monitoring.md")" \
	"$(alerts "$monitoring/alerts.yml")"
sed 's/mihfs_bad_groups/mihfs_evil_groups/' "$monitoring/alerts.yml" \
	>"$work/alerts.yml"
check_fails "a metric that does not exist would be found" \
	python3 "$tests/used.py" "$work/metrics" "$work/alerts.yml"
sed 's/state="down"/mood="down"/' "$monitoring/alerts.yml" >"$work/alerts.yml"
check_fails "so would a label" \
	python3 "$tests/used.py" "$work/metrics" "$work/alerts.yml"
if command -v promtool >/dev/null; then
	check "promtool takes the rules" \
		promtool check rules "$monitoring/alerts.yml"
	check "and the metrics" \
		sh -c "promtool check metrics <'$work/metrics'"
fi
mt_umount
mt_end
