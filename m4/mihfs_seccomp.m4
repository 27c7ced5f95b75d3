# MIHFS_SECCOMP
# -------------
# --with-libseccomp=check|yes|no: filter the system calls of a mount.
AC_DEFUN([MIHFS_SECCOMP], [
AC_ARG_WITH([libseccomp],
	[AS_HELP_STRING([--with-libseccomp], [filter the system calls of a mount: check, yes or no @<:@check@:>@])],
	[], [with_libseccomp=check])
have_libseccomp=0
AS_IF([test "x$with_libseccomp" != xno], [
	PKG_CHECK_MODULES([SECCOMP], [libseccomp >= 2.4], [have_libseccomp=1], [
		AS_IF([test "x$with_libseccomp" = xyes],
			[AC_MSG_ERROR([--with-libseccomp was given but libseccomp was not found])])
	])
])
AC_DEFINE_UNQUOTED([HAVE_LIBSECCOMP], [$have_libseccomp], [1 if libseccomp is there])
])
