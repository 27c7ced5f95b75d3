#!/bin/sh
# The cores are one source for three languages: compile each as CUDA C and as
# OpenCL C 1.2 wherever a compiler for that is at hand.
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
# shellcheck source=tests/lib/tap.sh
. "$top_srcdir/tests/lib/tap.sh"
core=$top_srcdir/src/hash/core
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# What a kernel of each core would call.
body()
{
	case $1 in
	sha256) echo "mih_w32 h[8]; mih_sha256_marked(h, src, len, 0); out[0] = h[0] ^ h[7];" ;;
	sha512) echo "mih_w64 h[8]; mih_sha512_marked(h, src, len, 1); out[0] = (mih_u32)(h[0] ^ h[7]);" ;;
	keccak) echo "mih_w64 a[25]; mih_sha3_marked(a, src, len, 0); out[0] = (mih_u32)(a[0] ^ a[3]);" ;;
	blake2b) echo "mih_w64 h[8]; mih_blake2b_init(h, MIH_BLAKE2B_PARAM0); mih_blake2b_message(h, src, len); out[0] = (mih_u32)h[0];" ;;
	blake3) echo "mih_w32 h[8]; struct mih_blake3_block at; at.lo = len; at.hi = 0; at.flags = 0; mih_blake3_chunk(h, src, len, at); mih_blake3_parent(h, src, 0); out[0] = h[0];" ;;
	esac
}

for name in sha256 sha512 keccak blake2b blake3; do
	cu=$work/$name.cu
	cl=$work/$name.cl
	printf '#include "hash/core/%s.h"\nextern "C" __global__ void k(const mih_u8 *src, mih_u32 len, mih_u32 *out)\n{\n%s\n}\n' \
		"$name" "$(body "$name")" >"$cu"
	{
		cat "$core/port.h" "$core/load.h" "$core/$name.h" | grep -v '^#include "hash/'
		printf '__kernel void k(mih_src src, mih_u32 len, __global mih_u32 *out)\n{\n%s\n}\n' \
			"$(body "$name")"
	} >"$cl"
	if command -v nvcc >/dev/null 2>&1; then
		tap_check "$name compiles as CUDA C" nvcc -cubin -arch=sm_90 \
			-I"$top_srcdir/src" -o "$work/$name.cubin" "$cu"
	else
		tap_skip "$name compiles as CUDA C" "no nvcc"
	fi
	if command -v clang >/dev/null 2>&1; then
		tap_check "$name compiles as OpenCL C" clang -x cl \
			-cl-std=CL1.2 -Wall -Werror -Wno-unused-function \
			-Xclang -finclude-default-header -fsyntax-only "$cl"
	else
		tap_skip "$name compiles as OpenCL C" "no clang"
	fi
done
tap_done
