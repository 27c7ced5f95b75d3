#!/bin/sh
# embed.sh SRCDIR KERNEL: print the OpenCL source of one kernel as a C array.
# OpenCL programs have no include path, so every "quoted" header is put in
# place of its line; all but groups.h once.
set -eu
src=$1 kernel=$2
awk -v src="$src" '
function put(path,   line, name) {
	if (path !~ /groups\.h$/ && seen[path]++)
		return
	while ((getline line < (src "/" path)) > 0) {
		if (line ~ /^#include "/) {
			name = line
			gsub(/^#include "|".*$/, "", name)
			put(name)
		} else {
			print line
		}
	}
	close(src "/" path)
}
BEGIN { put("gpu/kernels/" ARGV[1] ".h"); exit }
' "$kernel" | {
	printf 'extern const char mih_gpu_opencl_%s[];\n' "$kernel"
	printf 'const char mih_gpu_opencl_%s[] = {\n' "$kernel"
	od -An -v -tu1 | sed 's/\([0-9][0-9]*\)/\1,/g'
	printf '0 };\n'
}
