# MIHFS_OPENCL
# ------------
# --with-opencl=check|yes|no: look for the OpenCL headers. libOpenCL itself is
# opened at run time and never needed to build.
AC_DEFUN([MIHFS_OPENCL], [
AC_ARG_WITH([opencl],
	[AS_HELP_STRING([--with-opencl], [build OpenCL devices: check, yes or no @<:@check@:>@])],
	[], [with_opencl=check])
have_opencl=0
AS_IF([test "x$with_opencl" != xno], [
	AC_CHECK_HEADER([CL/cl.h], [have_opencl=1], [
		AS_IF([test "x$with_opencl" = xyes],
			[AC_MSG_ERROR([--with-opencl was given but CL/cl.h was not found])])
	], [[#define CL_TARGET_OPENCL_VERSION 120]])
])
AC_DEFINE_UNQUOTED([HAVE_OPENCL], [$have_opencl], [1 if the OpenCL headers are there])
AM_CONDITIONAL([HAVE_OPENCL], [test $have_opencl = 1])
])
