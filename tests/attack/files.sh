#!/bin/sh
# Files are shortened, lengthened, removed or replaced by something else:
# before the mount it is refused, under a mount the reader gets an error or the
# signed bytes. Nothing ever hangs.
set -u
# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
attack_begin
victim=$model/weights.bin

# replace KIND - do it to the victim
replace()
{
	case $1 in
	shortened) truncate -s $((nbytes - 1)) "$victim" ;;
	cut-to-a-group) truncate -s $group "$victim" ;;
	emptied) : >"$victim" ;;
	lengthened) printf x >>"$victim" ;;
	removed) rm "$victim" ;;
	directory) rm "$victim" && mkdir "$victim" ;;
	symlink) mv "$victim" "$work/elsewhere" &&
		ln -s "$work/elsewhere" "$victim" ;;
	symlink-inside) mv "$victim" "$model/sub/moved" &&
		ln -s sub/moved "$victim" ;;
	fifo) rm "$victim" && mkfifo "$victim" ;;
	device) rm "$victim" && mknod "$victim" c 1 5 ;;
	link-to-proc) rm "$victim" && ln -s /proc/self/mem "$victim" ;;
	esac
}

kinds='shortened cut-to-a-group emptied lengthened removed directory symlink
symlink-inside fifo device link-to-proc'

for kind in $kinds; do
	replace "$kind"
	check_refused "$kind before the mount" "weights.bin"
	restore
done

# A folder above the file becomes a link that leads out.
mv "$model/sub" "$work/outside"
ln -s "$work/outside" "$model/sub"
check_refused "a folder replaced by a link" "twin-b.bin\|sub"
restore

# Under a mount. What was never opened cannot be opened, or reads as signed.
for kind in $kinds; do
	mt_mount "$model"
	replace "$kind"
	timeout -k 5 60 cat "$mnt/weights.bin" >"$work/got" 2>/dev/null
	status=$?
	if [ $status = 0 ]; then
		check "$kind under a mount: what is read is what was signed" \
			cmp "$pristine/weights.bin" "$work/got"
	else
		check_equal "$kind under a mount: an error, and at once" \
			"$status" 1
		check "$kind under a mount: no wrong byte came before it" \
			cmp -n "$(wc -c <"$work/got")" \
			"$pristine/weights.bin" "$work/got"
	fi
	check "$kind under a mount: others are served" \
		cmp "$pristine/twin-a.bin" "$mnt/twin-a.bin"
	check "$kind under a mount: size and type are the signed ones" \
		test "$(stat -c '%s %F' "$mnt/weights.bin")" = \
		"$nbytes regular file"
	check "$kind: unmounts" mt_umount
	rm -f "$work/elsewhere"
	restore
done

# Held open while it happens. Pages read before may come from a cache, all
# others from the file that was opened: right bytes or errors.
mkfifo "$work/go"
for kind in $kinds; do
	mt_mount "$model"
	"$probe" hold "$mnt/weights.bin" "$work/go" "$pristine/weights.bin" \
		>"$work/held" 2>&1 &
	holder=$!
	eventually 10 grep -q open "$work/held"
	head -c 1000000 "$mnt/weights.bin" >/dev/null
	replace "$kind"
	mt_drop_caches
	# If it never opened the file nobody reads this.
	# shellcheck disable=SC2016 # the inner shell expands it
	mt_limit sh -c 'echo >"$1"' sh "$work/go"
	eventually 60 sh -c "! kill -0 $holder 2>/dev/null" ||
		kill -9 $holder
	wait $holder
	status=$?
	check_equal "$kind while held open: right bytes or errors" \
		"$status $(grep -c WRONG "$work/held")" "0 0"
	check "$kind while held open: unmounts" mt_umount
	rm -f "$work/elsewhere"
	restore
done
mt_end
