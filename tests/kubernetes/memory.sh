#!/bin/sh
# A mount in a control group, as in a container with a limit of memory: its
# cache is a part of that.
: "${top_srcdir:=$(dirname "$0")/../..}"
# shellcheck source=tests/lib/mount.sh
. "$top_srcdir/tests/lib/mount.sh"

# new_group BYTES - $group, a control group with that limit; version 2 or 1
new_group() {
	for try in /sys/fs/cgroup /sys/fs/cgroup/memory; do
		for file in memory.max memory.limit_in_bytes; do
			group=$try/mihfs-test.$$
			mkdir "$group" 2>/dev/null || continue
			[ -w "$group/$file" ] && echo "$1" >"$group/$file" &&
				return 0
			rmdir "$group"
		done
	done 2>/dev/null
	return 1
}

# serve OPTION...: until the mount answers, and what it said about memory
serve() {
	mt_mount "$work/model" "$@"
	cat "$mnt/weights.safetensors" >/dev/null
	grep -o 'memory[: ].*' "$log"
	mt_umount
}

mt_begin
new_group 268435456 || mt_skip "no control group for memory can be made"
mt_model "$work/model"
mt_sign "$work/model"
# The program, but in the group.
printf '#!/bin/sh\necho $$ >%s/cgroup.procs && exec %s "$@"\n' "$group" \
	"$MIHFS" >"$work/mihfs"
chmod +x "$work/mihfs"
MIHFS=$work/mihfs
check_equal "without a word, a quarter" "$(serve)" \
	"memory: 64 of the 256 MiB that the control group allows"
check_equal "what fits is taken" "$(serve --memory=100M)" \
	"memory: 100 of the 256 MiB that the control group allows"
check_equal "what does not is lowered" "$(serve --memory=1G)" \
	"memory is lowered to 128 MiB, half of what the control group allows"
# So is what files may take that are staged whole, cache included.
staged() {
	serve --serve=stage "$@" >/dev/null
	grep -o -e 'memory of staged.*' -e '--stage-memory is.*' "$log"
}
check_equal "staged files: half without a word" "$(staged)" \
	"memory of staged files: at most 128 MiB"
check_equal "staged files: what fits is taken" \
	"$(staged --stage-memory=150M)" \
	"memory of staged files: at most 150 MiB"
check_equal "staged files: what does not is lowered" \
	"$(staged --stage-memory=1G)" \
	"--stage-memory is lowered to 160 MiB, \
what the control group allows beside the cache"
check "the group is empty again" rmdir "$group"
mt_end
