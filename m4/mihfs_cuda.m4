# MIHFS_CUDA
# ----------
# --with-cuda=check|yes|no: look for nvcc, which turns kernels into data. The
# driver itself is opened at run time and never needed to build.
#
# NVCC_ARCH holds one -gencode for each architecture from 7.5 up that this
# nvcc knows, and portable code of the newest for those that follow.
AC_DEFUN([MIHFS_CUDA], [
AC_ARG_WITH([cuda],
	[AS_HELP_STRING([--with-cuda], [build CUDA kernels: check, yes or no @<:@check@:>@])],
	[], [with_cuda=check])
AC_ARG_VAR([NVCC], [CUDA compiler])
AC_ARG_VAR([NVCC_ARCH], [architectures, e.g. "-arch=sm_90"; default: all from 7.5])
have_cuda=0
CUDA_CPPFLAGS=
AS_IF([test "x$with_cuda" != xno], [
	AC_PATH_PROG([NVCC], [nvcc])
	mihfs_saved_cppflags=$CPPFLAGS
	AS_IF([test -n "$NVCC"], [
		CUDA_CPPFLAGS="-I`dirname "$NVCC"`/../include"
		CPPFLAGS="$CPPFLAGS $CUDA_CPPFLAGS"
		AC_CHECK_HEADER([cuda.h], [have_cuda=1])
		CPPFLAGS=$mihfs_saved_cppflags
	])
	AS_IF([test $have_cuda = 0 && test "x$with_cuda" = xyes],
		[AC_MSG_ERROR([--with-cuda was given but nvcc or cuda.h was not found])])
])
AS_IF([test $have_cuda = 1 && test -z "$NVCC_ARCH"], [
	for arch in `$NVCC --list-gpu-arch | $SED -n 's/^compute_\(@<:@0-9@:>@*\)$/\1/p'`; do
		AS_IF([test $arch -ge 75], [
			NVCC_ARCH="$NVCC_ARCH -gencode=arch=compute_$arch,code=sm_$arch"
			newest=$arch
		])
	done
	NVCC_ARCH="$NVCC_ARCH -gencode=arch=compute_$newest,code=compute_$newest"
])
AC_SUBST([CUDA_CPPFLAGS])
AC_DEFINE_UNQUOTED([HAVE_CUDA], [$have_cuda], [1 if nvcc can build kernels])
AM_CONDITIONAL([HAVE_CUDA], [test $have_cuda = 1])
])
