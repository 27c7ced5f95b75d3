# MIHFS_MICROHTTPD
# ----------------
# --with-libmicrohttpd=check|yes|no: serve the metrics of a mount by HTTP.
AC_DEFUN([MIHFS_MICROHTTPD], [
AC_ARG_WITH([libmicrohttpd],
	[AS_HELP_STRING([--with-libmicrohttpd], [serve metrics by HTTP: check, yes or no @<:@check@:>@])],
	[], [with_libmicrohttpd=check])
have_microhttpd=0
AS_IF([test "x$with_libmicrohttpd" != xno], [
	PKG_CHECK_MODULES([MICROHTTPD], [libmicrohttpd >= 0.9.71], [have_microhttpd=1], [
		AS_IF([test "x$with_libmicrohttpd" = xyes],
			[AC_MSG_ERROR([--with-libmicrohttpd was given but libmicrohttpd was not found])])
	])
])
AC_DEFINE_UNQUOTED([HAVE_MICROHTTPD], [$have_microhttpd], [1 if libmicrohttpd is there])
])
