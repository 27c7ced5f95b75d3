#!/bin/sh
# The three ways of serving on a machine with many cores and a GPU: everything
# that is promised of them, as one table beside the raw files and beside the
# same server without any check (copy_server), measured in the same run.
#
#     serve_all.sh carry BUILD DIR      on the machine that builds
#     serve_all.sh run DIR [OPTION...]  as root; builds nothing
#
# "carry" (make serve-carry) copies the programs of BUILD, which ought to be
# linked with libfuse 3.17 (contrib/deps.sh libfuse), and the libraries that
# they need but for the C library. Needs /dev/fuse, openssl and awk; PyTorch
# with safetensors, and transformers, where their rows are wanted.
#
#     --mib N         bytes of the model, in MiB (16384); four times that and
#                     a quarter has to fit the memory
#     --device D      hash on D (cpu); again for a second one beside it
#     --only "S..."   of: cache direct stage load auto tensors disk program
#     --rounds N      the best of N counts (2)
#     --model DIR     where the model is put; in memory is best (/dev/shm)
#     --disk DIR      where files that are read cold are put (/var/tmp)
#     --real DIR      a model of transformers to load, beside a generated one
#     --huge          allow huge pages for shared memory while it runs
#
# Rates are GB/s (1e9); core-seconds are the daemon's, for each GiB served.
set -eu
sections='cache direct stage load auto tensors disk program'

# The libraries are for our programs alone: openssl and Python have others.
wrapper()
{
	cat <<-'END'
		#!/bin/sh
		here=$(dirname "$0")
		export LD_LIBRARY_PATH="$here/lib"
		exec "$here/programs/${0##*/}" "$@"
	END
}

carry()
{
	build=$1 dir=$2
	mkdir -p "$dir/lib" "$dir/programs"
	for program in mihfs crowd copy_server; do
		cp "$build/$program" "$dir/programs/"
		wrapper >"$dir/$program"
		chmod +x "$dir/$program"
		ldd "$build/$program" | awk '$3 ~ /^\// { print $3 }' |
			grep -v -E '/(libc|libm|libdl|libpthread|librt)\.so' |
			while read -r lib; do cp -L "$lib" "$dir/lib/"; done
	done
	here=$(dirname "$0")
	cp "$here/serve_all.sh" "$here/serve/serve_load.py" \
		"$here/serve/jump.sh" "$here/lib.sh" "$dir/"
	du -sh "$dir"
}

# Models -------------------------------------------------------------------

# shards: eight files, and one as large as all of them
make_shards()
{
	[ ! -e "$work/model/whole" ] || return 0
	rm -rf "$work/model"
	mkdir "$work/model"
	for i in 0 1 2 3 4 5 6 7; do
		random_bytes "$i" "$((mib * 131072))" >"$work/model/shard.$i" &
	done
	wait
	cat "$work"/model/shard.* >"$work/model/whole"
	sign_model --device cpu
}

# llama MIB: a model that transformers and safetensors load
make_llama()
{
	rm -rf "$work/model"
	mkdir "$work/model"
	python3 "$dir/serve_load.py" shape "$work/model" "$(($1 * 1048576))" \
		>"$work/shape"
	while read -r name bytes; do
		random_bytes "$bytes" "$bytes" >>"$work/model/$name" &
	done <"$work/shape"
	wait
	sign_model --device cpu
}

# Measuring ----------------------------------------------------------------

ticks()
{
	awk '{ print $14 + $15 }' "/proc/$pid/stat"
}

# A device is looked for and opened when the mount has begun; until it is
# measured the processor does its work.
settle()
{
	tries=0
	until grep -q '"state": *"\(ready\|down\)"' \
		"$work/mnt/.mihfs/status.json" || [ "$tries" -ge 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	case $1 in cpu) ;; *) sleep 0.5 ;; esac
}

# serve DEVICE MODE: a fresh mount that is ready to hash
serve()
{
	start mihfs --device "$1" --serve="$2" --memory="$memory" \
		--stage-memory="$whole"
	settle "$1"
}

# A virtual machine has to get memory that was free for a while from its host
# again, and that takes several times what is measured here. So as much as a run
# may need is touched just before it, whoever is measured.
touch_memory()
{
	each=$(awk -v want="$((mib * 1280))" -v n="$(nproc)" '
		/^MemFree/ { free = $2 * 3 / 4
			printf "%d", (want < free ? want : free) / n }' \
		/proc/meminfo)
	touched=$(mktemp -d /dev/shm/mihfs-touched.XXXXXX)
	(
		for i in $(seq "$(nproc)"); do
			head -c "${each}K" /dev/zero >"$touched/$i" &
		done
		wait
	)
	rm -rf "$touched"
}

# meter NAME HOW WAYS FILE...: one run of the crowd below $base
meter()
{
	touch_memory
	name=$1 how=$2 ways=$3
	shift 3
	for file in "$@"; do
		set -- "$@" "$base/$file"
		shift
	done
	[ -z "$pid" ] || from=$(ticks)
	if ! "$dir/crowd" "$how" "$ways" "$@" >"$work/took" 2>"$work/err"; then
		head -n 1 "$work/err" >>"$work/times/$name.failed"
		return 0
	fi
	cat "$work/took" >>"$work/times/$name"
	[ -n "$pid" ] || return 0
	echo $((($(ticks) - from) * 1000 / tick_rate)) \
		>>"$work/times/$name.cpu"
	sed -n 's/.*"disk_bytes": *\([0-9]*\).*/\1/p' \
		"$work/mnt/.mihfs/status.json" >>"$work/times/$name.disk" \
		2>/dev/null || true
}

size_of()
{
	total=0
	for file in "$@"; do
		total=$((total + $(stat -L -c %s "$work/model/$file")))
	done
	echo "$total"
}

forget()
{
	[ "$cold" = 1 ] || return 0
	"$dir/crowd" forget 1 "$@" >/dev/null
	{ echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null || true
}

# baseline NAME HOW WAYS FILE...: raw, and through the server that only copies
baseline()
{
	test=$1 how=$2 ways=$3
	shift 3
	[ ! -e "$work/times/raw.$test" ] || return 0
	for _ in $(seq "$rounds"); do
		base=$work/model
		(cd "$work/model" && forget "$@")
		meter "raw.$test" "$how" "$ways" "$@"
		start copy
		base=$work/mnt
		(cd "$work/model" && forget "$@")
		meter "copy.$test" "$how" "$ways" "$@"
		stop
	done
}

# measure MODE TEST PRIME HOW WAYS FILE...: for each device, ours; before that
# the same files are read by PRIME, unless it is "-".
measure()
{
	mode=$1 test=$2 prime=$3 then=$4 many=$5
	shift 5
	for device in $devices; do
		for _ in $(seq "$rounds"); do
			base=$work/model
			(cd "$work/model" && forget "$@")
			serve "$device" "$mode"
			base=$work/mnt
			[ "$prime" = - ] ||
				meter "prime" "$prime" "$many" "$@"
			meter "$device.$mode.$test" "$then" "$many" "$@"
			stop
		done
	done
}

# value NAME BYTES: its rate; nothing where it was not measured
value()
{
	[ -s "$work/times/$1" ] || return 0
	awk -v t="$(best "$1")" -v n="$2" 'BEGIN { printf "%.2f", n / t / 1e9 }'
}

cell()
{
	awk -v a="$1" -v b="$2" 'BEGIN {
		if (a > 0 && b > 0) printf "%.2fx", a / b }'
}

line()
{
	printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$@"
}

# row TITLE MODE TEST BYTES LEAST
row()
{
	raw=$(value "raw.$3" "$4")
	copy=$(value "copy.$3" "$4")
	for device in $devices; do
		name=$device.$2.$3
		ours=$(value "$name" "$4")
		cpu=
		[ -z "$ours" ] || cpu=$(awk -v ms="$(best "$name.cpu")" \
			-v n="$4" 'BEGIN {
				printf "%.2f", ms / 1000 / (n / 1073741824) }')
		[ -n "$ours" ] || [ ! -s "$work/times/$name.failed" ] ||
			ours="FAILED: $(tail -n 1 "$work/times/$name.failed")"
		line "$1" "$device" "$ours" "$raw" "$copy" \
			"$(cell "$ours" "$raw")" "$(cell "$ours" "$copy")" \
			"$cpu" "$5"
	done
}

# one TITLE MODE TEST LEAST PRIME HOW WAYS FILE...: measured, and its row
one()
{
	title=$1 mode=$2 test=$3 least=$4
	shift 4
	hows=$2 parts=$3
	[ "$hows" != open ] || hows=large parts=$(nproc)
	measure "$mode" "$test" "$@"
	shift 3
	baseline "$test" "$hows" "$parts" "$@"
	row "$title" "$mode" "$test" "$(size_of "$@")" "$least"
}

# The ways of serving ------------------------------------------------------

shards='shard.0 shard.1 shard.2 shard.3 shard.4 shard.5 shard.6 shard.7'

# shellcheck disable=SC2086
section_cache()
{
	make_shards
	one "cache, 8 shards, read" cache 8.read 15 - read 1 $shards
	one "cache, 8 shards, mmap" cache 8.mmap 18 - mmap 1 $shards
	one "cache, one reader, read" cache 1.read "0.9x of copying" \
		- read 1 shard.0
	one "cache, one reader, mmap" cache 1.mmap "0.9x of copying" \
		- mmap 1 shard.0
}

section_direct()
{
	make_shards
	one "direct, 16 readers of one file" direct 16.read 22 - read 16 whole
	memory=$whole
	one "direct, second pass" direct 16.again 28 read read 16 whole
	memory=256M
}

section_stage()
{
	make_shards
	one "stage, open" stage open 18 - open 1 whole
	one "stage, 8 readers after it" stage 8.staged "0.93x of raw" \
		open read 8 whole
	one "stage, 8 mappings after it" stage 8.mapped "0.93x of raw" \
		open mmap 8 whole
}

section_disk()
{
	make_shards
	mkdir -p "$disk"
	cold=1
	on_disk=$(mktemp -d "$disk/mihfs-cold.XXXXXX")
	mv "$work/model" "$work/in-memory"
	mkdir "$on_disk/model"
	ln -s "$on_disk/model" "$work/model"
	cp "$work/in-memory/shard.0" "$on_disk/model/cold"
	sync "$on_disk/model/cold"
	sign_model --device cpu --allow-symlinks
	for mode in cache direct stage; do
		one "cold disk, one reader, $mode" "$mode" cold.read \
			"0.98x of raw" - read 1 cold
	done
	cold=0
	rm -rf "$work/model" "$on_disk"
	on_disk=
	mv "$work/in-memory" "$work/model"
	sign_model --device cpu
}

# What loaders do, by auto and by each of the three.
patterns='read(2), whole files at once|read|1
map, whole files at once|mmap|1
map, tensors in no order|random|1
map, populated and shared|populate|1
read(2), 16 threads of 16 MiB|large|4
read(2), O_DIRECT, 16 threads|raw|4
read(2), strides of 4 ranks|ranks|4'

section_auto()
{
	make_shards
	files='shard.0 shard.1 shard.2 shard.3'
	echo "$patterns" >"$work/patterns"
	while IFS='|' read -r title how ways; do
		test=auto.$how.$ways
		# shellcheck disable=SC2086
		for mode in cache direct stage auto; do
			measure "$mode" "$test" - "$how" "$ways" $files \
				</dev/null
		done
		# shellcheck disable=SC2086
		baseline "$test" "$how" "$ways" $files </dev/null
		# shellcheck disable=SC2086
		bytes=$(size_of $files)
		for mode in cache direct stage; do
			row "$title, $mode" "$mode" "$test" "$bytes" ""
		done
		for device in $devices; do
			most=$(for one in cache direct stage; do
				value "$device.$one.$test" "$bytes" && echo
			done | sort -n | tail -n 1)
			ours=$(value "$device.auto.$test" "$bytes")
			line "$title, auto" "$device" "$ours" "" "" "" "" "" \
				"0.95x of the best; is $(cell "$ours" "$most")"
		done
	done <"$work/patterns"
}

# Loaders ------------------------------------------------------------------

# loaded NAME PROGRAM...: start it, let it import everything, then mount
# ($mount: DEVICE MODE, or raw), and have it load; its time includes neither
loaded()
{
	name=$1
	shift
	mkfifo "$work/go"
	python3 "$dir/serve_load.py" "$@" <"$work/go" >"$work/took" \
		2>"$work/err" &
	loader=$!
	exec 8>"$work/go"
	tries=0
	until grep -q ready "$work/took" || ! kill -0 "$loader" 2>/dev/null ||
		[ "$tries" -gt 600 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	# shellcheck disable=SC2086
	[ -z "$mount" ] || serve $mount
	touch_memory
	[ -z "$pid" ] || from=$(ticks)
	echo go >&8 2>/dev/null || true
	exec 8>&-
	if wait "$loader"; then
		tail -n 1 "$work/took" >>"$work/times/$name"
		[ -z "$pid" ] || echo $((($(ticks) - from) * 1000 / tick_rate)) \
			>>"$work/times/$name.cpu"
	else
		tail -n 1 "$work/err" >>"$work/times/$name.failed"
	fi
	[ -z "$pid" ] || stop
	rm -f "$work/go"
}

lacks()
{
	python3 -c "import $1" 2>/dev/null && return 1
	line "$2" "" "no $(echo "$1" | sed 's/, / or /')" "" "" "" "" "" ""
}

gpu()
{
	python3 -c 'import torch
print("cuda:0" if torch.cuda.is_available() else "cpu")'
}

# times_row TITLE NAME LEAST PEER: seconds instead of rates
times_row()
{
	for device in $devices; do
		name=$device.$mode.$2
		if [ -s "$work/times/$name" ]; then
			ours=$(best "$name")
			cpu=$(awk -v ms="$(best "$name.cpu")" -v n="$bytes" \
				'BEGIN { printf "%.2f",
					ms / 1000 / (n / 1073741824) }')
		else
			ours="FAILED: $(tail -n 1 "$work/times/$name.failed")"
			cpu=
		fi
		raw=$(best "raw.$2" 2>/dev/null)
		line "$1" "$device" "$ours s" "$raw s" "$4" \
			"$(cell "$ours" "$raw")" "$(cell "$4" "$ours")" \
			"$cpu" "$3"
	done
}

section_load()
{
	title="safetensors load_file, 4 processes"
	! lacks "torch, safetensors" "$title" || return 0
	make_llama "$mib"
	to=$(gpu)
	files=$(cd "$work/model" && echo ./*.safetensors)
	# shellcheck disable=SC2086
	bytes=$(size_of $files)
	for _ in $(seq "$rounds"); do
		mount=
		# shellcheck disable=SC2086
		(cd "$work/model" && loaded raw.load shards "$to" $files)
		begun=$(date +%s%N)
		# shellcheck disable=SC2086
		(cd "$work/model" && echo $files | xargs -n 1 -P 4 sha256sum) \
			>/dev/null
		echo "$begun $(date +%s%N)" | awk '{
			printf "%.6f\n", ($2 - $1) / 1e9 }' >>"$work/times/sum"
	done
	peer=$(awk -v a="$(best sum)" -v b="$(best raw.load)" \
		'BEGIN { printf "%.3f", a + b }')
	for mode in auto cache direct stage; do
		for device in $devices; do
			mount="$device $mode"
			for _ in $(seq "$rounds"); do
				# shellcheck disable=SC2046,SC2086
				loaded "$device.$mode.load" shards "$to" \
					$(printf "$work/mnt/%s\n" $files)
			done
		done
		times_row "$title to $to, $mode (copying: sha256sum, then raw)" \
			load "1.5x raw's time; 2.5x faster" "$peer s"
	done
}

# program TITLE: the model in $work/model
program()
{
	to=$(gpu)
	bytes=$(du -sbL "$work/model" | cut -f 1)
	rm -f "$work"/times/*.program*
	for _ in $(seq "$rounds"); do
		mount=
		loaded raw.program program "$work/model" "$to"
	done
	for mode in auto cache direct stage; do
		for device in $devices; do
			mount="$device $mode"
			for _ in $(seq "$rounds"); do
				loaded "$device.$mode.program" program \
					"$work/mnt" "$to"
			done
		done
		times_row "transformers, $1, to $to, $mode" program "" ""
	done
}

section_program()
{
	! lacks "torch, transformers" "transformers" || return 0
	make_llama "$((mib / 2))"
	program "a Llama of $((mib / 2)) MiB"
	[ -n "$real" ] || return 0
	rm -rf "$work/model"
	cp -rL "$real" "$work/model"
	sign_model --device cpu
	program "$(basename "$real")"
}

# What is asked for and is not here gets a line instead of rows.
look_for_devices()
{
	mkdir -p "$work/model"
	echo tiny >"$work/model/tiny"
	asked=$devices devices=
	for device in $asked; do
		if sign_model --device "$device" 2>"$work/err"; then
			devices="$devices $device"
		else
			echo "device $device: $(head -n 1 "$work/err")"
		fi
	done
	rm -rf "$work/model"
}

machine()
{
	echo "$(date +%Y-%m-%d), $(awk -F ': ' \
		'/^model name/ { print $2; exit }' /proc/cpuinfo), $(nproc) cores, \
Linux $(uname -r), $mib MiB, best of $rounds"
	! command -v nvidia-smi >/dev/null ||
		nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
	"$MIHFS" --version | head -n 1
	"$MIHFS" doctor 2>/dev/null | grep -i -E 'fuse|passthrough|huge' || true
	if [ "$huge" = 1 ]; then
		huge_before=$(sed 's/.*\[\(.*\)\].*/\1/' $shmem)
		{ echo advise >$shmem; } 2>/dev/null ||
			echo "$shmem: cannot be set"
	fi
	echo "huge pages of shared memory: $(cat $shmem 2>/dev/null)"
}

run()
{
	dir=$(cd "$1" && pwd)
	shift
	devices='' mib=16384 rounds=2 only=$sections disk=/var/tmp real='' huge=0
	shmem=/sys/kernel/mm/transparent_hugepage/shmem_enabled
	MIHFS_BENCH_DIR=/dev/shm
	while [ $# -gt 0 ]; do
		case $1 in
		--mib) mib=$2 && shift ;;
		--device) devices="$devices $2" && shift ;;
		--only) only=$2 && shift ;;
		--rounds) rounds=$2 && shift ;;
		--model) MIHFS_BENCH_DIR=$2 && shift ;;
		--disk) disk=$2 && shift ;;
		--real) real=$2 && shift ;;
		--huge) huge=1 ;;
		*) echo "serve_all.sh: $1?" >&2 && exit 2 ;;
		esac
		shift
	done
	devices=${devices:-cpu}
	MIHFS=$dir/mihfs MIHFS_BENCH_BIN=$dir
	# shellcheck source=contrib/bench/lib.sh
	. "$dir/lib.sh"
	# shellcheck source=contrib/bench/serve/jump.sh
	. "$dir/jump.sh"
	memory=256M whole=$((mib + 512))M tick_rate=$(getconf CLK_TCK) cold=0 on_disk='' touched='' huge_before=''
	trap 'rm -rf "$on_disk" "$touched"; cleanup
		[ -z "$huge_before" ] || echo "$huge_before" >$shmem' EXIT
	folders
	machine
	look_for_devices
	echo
	line what device ours raw copying "of raw" "of copying" \
		core-s/GiB "at least"
	line --- --- --- --- --- --- --- --- ---
	for section in $only; do
		"section_$section"
	done
}

case ${1-} in
carry) shift && carry "$@" ;;
run) shift && run "$@" ;;
*) sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac
