# MIHFS_SANITIZERS
# ----------------
# --enable-sanitizers=address,undefined (or thread): flags for every file and
# for linking, in SAN_CFLAGS.
AC_DEFUN([MIHFS_SANITIZERS], [
AC_ARG_ENABLE([sanitizers],
	[AS_HELP_STRING([--enable-sanitizers=LIST],
		[build with -fsanitize=LIST, e.g. address,undefined or thread])],
	[], [enable_sanitizers=no])
SAN_CFLAGS=
have_sanitizers=0
AS_CASE([$enable_sanitizers],
	[no], [],
	[yes], [enable_sanitizers=address,undefined])
AS_IF([test "x$enable_sanitizers" != xno], [
	SAN_CFLAGS="-fsanitize=$enable_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
	mihfs_saved_cflags=$CFLAGS
	CFLAGS="$CFLAGS $SAN_CFLAGS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [],
		[AC_MSG_ERROR([$CC cannot build with -fsanitize=$enable_sanitizers])])
	CFLAGS=$mihfs_saved_cflags
	have_sanitizers=1
])
AC_SUBST([SAN_CFLAGS])
AC_DEFINE_UNQUOTED([HAVE_SANITIZERS], [$have_sanitizers], [1 if built with sanitizers])
])
