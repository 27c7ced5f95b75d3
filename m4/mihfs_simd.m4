# MIHFS_SIMD
# ----------
# Which x86 vector paths can be compiled. Each lives in its own file with its
# own flags and is chosen at run time, so the baseline build stays portable.
AC_DEFUN([MIHFS_SIMD], [
# Thirty live vectors and more: gcc schedules for them only when told to, and its
# reordering of sums costs registers; together
# this is worth a tenth of the rate.
mihfs_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS -Werror -fschedule-insns -fsched-pressure -fno-tree-reassoc"
AC_MSG_CHECKING([whether $CC can schedule for register pressure])
AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
	[LANES_CFLAGS="-fschedule-insns -fsched-pressure -fno-tree-reassoc"; AC_MSG_RESULT([yes])],
	[LANES_CFLAGS=; AC_MSG_RESULT([no])])
CFLAGS=$mihfs_saved_cflags
AC_SUBST([LANES_CFLAGS])
MIHFS_SIMD_PATH([SHANI], [-msha -msse4.1 -mssse3])
MIHFS_SIMD_PATH([AVX2], [-mavx2 -mbmi2])
MIHFS_SIMD_PATH([AVX512], [-mavx512f -mavx512bw -mavx512vl -mavx512dq -mbmi2])
])

# MIHFS_SIMD_PATH(NAME, FLAGS)
# ----------------------------
# Sets NAME_CFLAGS, HAVE_NAME (0 or 1) and the Automake conditional HAVE_NAME.
AC_DEFUN([MIHFS_SIMD_PATH], [
mihfs_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS $2"
AC_MSG_CHECKING([whether $CC can build the $1 path])
AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#ifndef __x86_64__
#error not an x86-64 target
#endif
#include <immintrin.h>]], [])],
	[have_$1=1; $1_CFLAGS="$2"; AC_MSG_RESULT([yes])],
	[have_$1=0; $1_CFLAGS=; AC_MSG_RESULT([no])])
CFLAGS=$mihfs_saved_cflags
AC_SUBST([$1_CFLAGS])
AC_DEFINE_UNQUOTED([HAVE_$1], [$have_$1], [1 if the $1 hash path is compiled])
AM_CONDITIONAL([HAVE_$1], [test $have_$1 = 1])
])
