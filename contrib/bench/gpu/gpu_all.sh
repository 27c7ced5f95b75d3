#!/bin/sh
# Everything that only a machine with a GPU can show, as one table.
#
#     gpu_all.sh carry BUILD DIR      on the machine that builds; needs CUDA there
#     gpu_all.sh run DIR [OPTION...]  on the machine with the GPU; builds nothing
#
# "carry" (make gpu-carry) copies the programs of the build folder BUILD, the
# libraries they need but for the C library, and this script to DIR. The GPU
# machine needs a driver, sh, awk, openssl, and at least the C library of the
# building one; compute-sanitizer, b3sum, PyTorch and nvidia-smi are used where
# they are there, and their rows say so where they are not. DIR may lie in the
# source tree under a name that git ignores (gpu-carry/).
#
#     --device D      what to measure (cuda); again for a second: opencl:1
#     --mib N         resident bytes of a launch, in MiB (2048)
#     --gib N         size of the model for verify, in GiB (32)
#     --model DIR     where to put it; in memory is best (/dev/shm)
#     --all           with 1, 2, 4 ... devices of the first kind: verify, and a
#                     mount with eight readers
#     --only "S..."   of: equality sanitizer rates verify scale peers pytorch
#
# Ends with status 1 if a digest was wrong or the sanitizer found something.
set -eu

carry()
{
	build=$1 dir=$2
	mkdir -p "$dir/lib"
	for program in mihfs gpu_feed gpu_rates test_device_equal; do
		cp "$build/$program" "$dir/"
		ldd "$build/$program" | awk '$3 ~ /^\// { print $3 }' |
			grep -v -E '/(libc|libm|libdl|libpthread|librt)\.so' |
			while read -r lib; do cp -L "$lib" "$dir/lib/"; done
	done
	here=$(dirname "$0")
	cp "$here/gpu_all.sh" "$here/interference.py" "$dir/"
	if b3sum=$(command -v b3sum); then cp "$b3sum" "$dir/"; fi
	du -sh "$dir"
}

# row WHAT VALUE LEAST [AIM]
row()
{
	printf '| %s | %s | %s | %s |\n' "$1" "$2" "${3-}" "${4-}"
}

have()
{
	command -v "$1" >/dev/null 2>&1
}

failed=0

# Digests ------------------------------------------------------------------

equality()
{
	for device in $devices; do
		if "$dir/test_device_equal" "$device" >"$work/equal" 2>&1; then
			tail -n 1 "$work/equal" | grep -q SKIP &&
				row "equality, $device" "no such device" &&
				continue
			row "equality, $device" "equal" "equal"
		else
			row "equality, $device" "WRONG" "equal"
			tail -n 20 "$work/equal" >&2
			failed=1
		fi
	done
}

sanitizer()
{
	for tool in memcheck racecheck initcheck; do
		if ! have compute-sanitizer; then
			row "compute-sanitizer $tool" "not installed" "clean"
		elif compute-sanitizer --tool "$tool" --error-exitcode 9 \
			"$dir/test_device_equal" cuda >"$work/$tool" 2>&1; then
			row "compute-sanitizer $tool" "clean" "clean"
		else
			row "compute-sanitizer $tool" "ERRORS" "clean"
			tail -n 20 "$work/$tool" >&2
			failed=1
		fi
	done
}

# Rates --------------------------------------------------------------------

# What the project has promised itself of one H100: name, least, aim.
promises='mth4k_sha256 740 800
mth4k_sha512 525 580
mth4k_sha3_256 465 500
blake3 1620 1750
lthash16 600 700'

rates()
{
	device=$1 kind=${1%%:*}
	"$dir/gpu_rates" "$device" "$mib" >"$work/rates.$kind"
	row "$device: plain copy" "$(awk '/^plain copy/ { print $(NF - 1) }' \
		"$work/rates.$kind") GB/s"
	echo "$promises" | while read -r name least aim; do
		row "$device: $name resident, $mib MiB" \
			"$(awk -v n="$name" '$1 == n { print $2; exit }' \
				"$work/rates.$kind") GB/s" "$least" "$aim"
	done
	awk '/GB\/s.*us/ { print $1, $2, $6, $12, $4 }' "$work/rates.$kind" |
		while read -r name overlapped one sixteen small; do
			row "$device: $name, 16 MiB batches overlapped" \
				"$overlapped GB/s" 53
			row "$device: $name, one batch of 16 MiB" \
				"$sixteen us" 450 420
			row "$device: $name, one read of 1 MiB" "$one us" \
				"$(echo "$name" | sed 's/blake3/60/
					s/mth4k-sha256/165/; /[a-z]/d')"
			row "$device: $name, one read of 64 KiB" "$small us"
		done
}

opencl_beside_cuda()
{
	[ -s "$work/rates.cuda" ] && [ -s "$work/rates.opencl" ] || return 0
	echo "$promises" | while read -r name _; do
		row "opencl over cuda, $name" "$(awk -v n="$name" '
			$1 == n && !seen[FILENAME]++ { v[++i] = $2 }
			END { printf "%.2fx", v[2] / v[1] }' \
			"$work/rates.cuda" "$work/rates.opencl")" 0.92x 1.0x
	done
}

# Models -------------------------------------------------------------------

make_model()
{
	mkdir -p "$work/model" "$work/small"
	openssl ecparam -name prime256v1 -genkey -noout -out "$work/key" 2>/dev/null
	openssl ec -in "$work/key" -pubout -out "$work/pub" 2>/dev/null
	i=0
	while [ "$i" -lt 8 ]; do
		openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$i")" \
			-iv 00000000000000000000000000000000 -in /dev/zero \
			2>/dev/null | head -c "$((bytes / 8))" \
			>"$work/model/$i.bin" &
		i=$((i + 1))
	done
	wait
	echo small >"$work/small/file"
	"$dir/mihfs" sign --quiet --device cpu --private-key "$work/key" \
		--signature "$work/small.json" "$work/small"
	for tree in mth4k-sha256 blake3; do
		"$dir/mihfs" sign --quiet --device cpu --tree "$tree" \
			--signature "$work/$tree.json" --private-key "$work/key" \
			"$work/model"
	done
}

# timed COMMAND...: sets $seconds (in ns) and $cpu (user and system), best of 3
timed()
{
	seconds=
	for _ in 1 2 3; do
		times >"$work/before"
		from=$(date +%s%N)
		"$@" >/dev/null 2>"$work/err" || { cat "$work/err" >&2; return 1; }
		took=$(($(date +%s%N) - from))
		times >"$work/after"
		if [ -z "$seconds" ] || [ "$took" -lt "$seconds" ]; then
			seconds=$took
			cpu=$(spent "$work/before" "$work/after")
		fi
	done
}

# spent BEFORE AFTER: processor seconds of children between two `times`
spent()
{
	awk 'FNR == 2 { s[++f] = 0
		for (i = 1; i <= 2; i++) {
			split($i, t, /[ms]/)
			s[f] += t[1] * 60 + t[2]
		} }
		END { print s[2] - s[1] }' "$1" "$2"
}

# verify NAME TREE LEAST OPTION...
verify()
{
	name=$1 tree=$2 least=$3
	shift 3
	timed "$dir/mihfs" verify --quiet --signature "$work/$tree.json" \
		--public-key "$work/pub" "$@" "$work/model" || {
		row "verify, $name, $tree" "FAILED" "$least"
		failed=1
		return 0
	}
	row "verify, $name, $tree, $gib GiB" "$(awk -v n="$bytes" -v t="$seconds" \
		-v c="$cpu" 'BEGIN { printf "%.1f GB/s, %.2f core-s/GiB",
			n / t, c / (n / 1073741824) }')" "$least"
}

verify_all()
{
	for tree in mth4k-sha256 blake3; do
		verify "cpu, $(nproc) cores" "$tree" "" --device cpu
		verify "by default" "$tree" "40 GB/s, 0.25"
		for device in $devices; do
			verify "$device" "$tree" "40 GB/s, 0.25" \
				--device "$device"
			verify "$device and cpu" "$tree" "" \
				--device "$device" --device cpu
		done
	done
}

# names N: options for the first N devices of the first kind, and the processor
names()
{
	for i in $(seq 0 $(($1 - 1))); do
		printf ' --device %s:%s' "${devices%%[: ]*}" "$i"
	done
}

is_there()
{
	"$dir/mihfs" verify --quiet --signature "$work/small.json" \
		--public-key "$work/pub" --device "${devices%%[: ]*}:$1" \
		"$work/small" >/dev/null 2>&1
}

# ticks PID: processor time of a process so far, in 1/100 s
ticks()
{
	awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"
}

# mounted N: eight readers of eight files at once, through N devices
mounted()
{
	mkdir -p "$work/mnt"
	: >"$work/log"
	# shellcheck disable=SC2046
	"$dir/mihfs" mount -f --serve=direct $(names "$1") \
		--root "$work/mth4k-sha256.json" --public-key "$work/pub" \
		"$work/model" "$work/mnt" 2>"$work/log" &
	server=$!
	until grep -q "sooner done\|slower at" "$work/log"; do sleep 0.1; done
	sleep 1
	before=$(ticks $server)
	from=$(date +%s%N)
	for file in "$work/mnt"/*.bin; do
		dd "if=$file" of=/dev/null bs=4M 2>/dev/null &
		readers="${readers-} $!"
	done
	# shellcheck disable=SC2086
	wait $readers
	took=$(($(date +%s%N) - from))
	row "mount, direct, 8 readers, $1 of ${devices%%[: ]*}" "$(awk \
		-v n="$bytes" -v t="$took" \
		-v c="$(($(ticks $server) - before))" 'BEGIN {
		printf "%.1f GB/s, %.2f core-s/GiB", n / t,
			c / 100 / (n / 1073741824) }')"
	readers=
	umount "$work/mnt"
	wait $server || true
}

# Half of the model, to tell what a device takes to start from what it gives.
make_half()
{
	mkdir -p "$work/half"
	for i in 0 1 2 3; do ln "$work/model/$i.bin" "$work/half/"; done
	"$dir/mihfs" sign --quiet --device cpu --private-key "$work/key" \
		--signature "$work/half.json" "$work/half"
}

# beyond NAME OPTION...: the second half alone; the first is read as well
beyond()
{
	name=$1
	shift
	timed "$dir/mihfs" verify --quiet --signature "$work/half.json" \
		--public-key "$work/pub" "$@" "$work/half"
	half=$seconds half_cpu=$cpu
	timed "$dir/mihfs" verify --quiet --public-key "$work/pub" \
		--signature "$work/mth4k-sha256.json" "$@" "$work/model"
	row "verify, $name, once it runs" "$(awk -v n="$bytes" \
		-v t="$((seconds - half))" -v c="$cpu" -v h="$half_cpu" 'BEGIN {
		printf "%.1f GB/s, %.2f core-s/GiB", n / 2 / t,
			(c - h) / (n / 2 / 1073741824) }')"
}

# feed TITLE NDEVICES THREADS MIB: the limit, bytes that are read and copied to
# devices, and not hashed
feed()
{
	rm -f "$work/fed"
	for _ in 1 2 3; do
		"$dir/gpu_feed" "$2" "$3" "$4" "$work"/model/*.bin >>"$work/fed"
	done
	row "$1, $3 threads, $4 MiB" "$(sort -n "$work/fed" | head -n 1 |
		awk -v n="$bytes" '{ printf "%.1f GB/s", n / $1 / 1e9 }')"
}

# As many threads and as much memory as verify has for N devices.
limits()
{
	feed "only read" 0 $((14 * $1)) $((28 * $1))
	feed "only read" 0 $((14 * $1)) $((96 * $1))
	[ "${devices%%[: ]*}" != cuda ] ||
		feed "read and copied to $1" "$1" $((14 * $1)) $((96 * $1))
}

# What several devices are worth: verify, and a mount where root can mount.
scale_all()
{
	[ "$all" = 1 ] || return 0
	make_half
	n=1
	while is_there $((n - 1)); do
		# shellcheck disable=SC2046
		verify "$n of ${devices%%[: ]*}" mth4k-sha256 \
			"$([ $n = 1 ] || echo 1.6x of one for two)" $(names $n)
		# shellcheck disable=SC2046
		beyond "$n of ${devices%%[: ]*}" $(names $n)
		limits $n
		if [ "$(id -u)" = 0 ] && [ -c /dev/fuse ]; then mounted $n; fi
		n=$((2 * n))
	done
}

peers()
{
	threads=$(nproc)
	row "openssl sha256, $threads processes, 1 MiB" "$(openssl speed \
		-evp sha256 -multi "$threads" -bytes 1048576 -seconds 3 2>/dev/null |
		awk '/^evp|^sha256/ { v = $NF } END { sub(/k$/, "", v)
			printf "%.1f GB/s", v / 1e6 }')"
	timed sh -c "printf '%s\n' $work/model/* | xargs -P $threads -n 1 sha256sum"
	row "sha256sum, a process for each of 8 files" \
		"$(awk -v n="$bytes" -v t="$seconds" \
			'BEGIN { printf "%.1f GB/s", n / t }')"
	b3sum=$dir/b3sum
	[ -x "$b3sum" ] || b3sum=$(command -v b3sum || true)
	if [ -n "$b3sum" ]; then
		timed "$b3sum" "$work"/model/*
		row "b3sum, all threads" "$(awk -v n="$bytes" -v t="$seconds" \
			'BEGIN { printf "%.1f GB/s", n / t }')"
	else
		row "b3sum" "not installed"
	fi
}

interference()
{
	if ! python3 -c 'import torch; assert torch.cuda.is_available()' \
		2>/dev/null; then
		row "PyTorch beside verify" "no PyTorch with a GPU"
		return 0
	fi
	python3 "$dir/interference.py" "$dir/mihfs" verify --quiet \
		--signature "$work/mth4k-sha256.json" --public-key "$work/pub" \
		--device "${devices%% *}" "$work/model"
}

machine()
{
	echo "$(date +%Y-%m-%d), $(awk -F ': ' '/^model name/ { print $2; exit }' \
		/proc/cpuinfo), $(nproc) cores"
	! have nvidia-smi ||
		nvidia-smi --query-gpu=name,driver_version,memory.total,pcie.link.gen.current,pcie.link.width.current \
			--format=csv,noheader
	"$dir/mihfs" --version
}

# wanted SECTION: is it among --only, or was nothing chosen?
wanted()
{
	case " ${only:-$1} " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}

run()
{
	dir=$(cd "$1" && pwd)
	shift
	devices='' mib=2048 gib=32 model=/dev/shm all=0 only=
	while [ $# -gt 0 ]; do
		case $1 in
		--device) devices="$devices $2" && shift ;;
		--mib) mib=$2 && shift ;;
		--gib) gib=$2 && shift ;;
		--model) model=$2 && shift ;;
		--all) all=1 ;;
		--only) only=$2 && shift ;;
		*) echo "gpu_all.sh: $1?" >&2 && exit 2 ;;
		esac
		shift
	done
	devices=${devices:-cuda}
	devices=${devices# }
	bytes=$(awk -v g="$gib" 'BEGIN { printf "%.0f", g * 1073741824 }')
	LD_LIBRARY_PATH=$dir/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	export LD_LIBRARY_PATH
	work=$(mktemp -d "$model/mihfs-gpu.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM
	machine
	echo
	row what measured "at least" aim
	row --- --- --- ---
	if wanted equality; then equality; fi
	if wanted sanitizer; then sanitizer; fi
	if wanted rates; then
		for device in $devices; do rates "$device"; done
		opencl_beside_cuda
	fi
	if wanted verify || wanted scale || wanted peers || wanted pytorch; then
		make_model
	fi
	if wanted verify; then verify_all; fi
	if wanted scale; then scale_all; fi
	if wanted peers; then peers; fi
	if wanted pytorch; then interference; fi
	return $failed
}

case ${1-} in
carry) shift && carry "$@" ;;
run) shift && run "$@" ;;
*) sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac
