# MIHFS_CUDA
# ----------
# --with-cuda=check|yes|no: look for nvcc, which turns kernels into data. The
# driver itself is opened at run time and never needed to build.
AC_DEFUN([MIHFS_CUDA], [
AC_ARG_WITH([cuda],
	[AS_HELP_STRING([--with-cuda], [build CUDA kernels: check, yes or no @<:@check@:>@])],
	[], [with_cuda=check])
AC_ARG_VAR([NVCC], [CUDA compiler])
have_cuda=0
AS_IF([test "x$with_cuda" != xno], [
	AC_PATH_PROG([NVCC], [nvcc])
	AS_IF([test -n "$NVCC"], [have_cuda=1],
		[test "x$with_cuda" = xyes],
		[AC_MSG_ERROR([--with-cuda was given but nvcc was not found])])
])
AC_DEFINE_UNQUOTED([HAVE_CUDA], [$have_cuda], [1 if nvcc can build kernels])
AM_CONDITIONAL([HAVE_CUDA], [test $have_cuda = 1])
])
