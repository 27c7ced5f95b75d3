# MIHFS_COMPILER
# --------------
# The warnings every file is built with, in MIHFS_CFLAGS, and --enable-werror.
AC_DEFUN([MIHFS_COMPILER], [
AC_ARG_ENABLE([werror],
	[AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])],
	[], [enable_werror=no])
MIHFS_CFLAGS=
for flag in -std=gnu11 -Wall -Wextra -Wundef -Wshadow -Wpointer-arith \
	-Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations \
	-Wwrite-strings -Wvla -Wformat=2 -Wimplicit-fallthrough \
	-Wno-missing-field-initializers -fno-common -fstack-protector-strong; do
	MIHFS_TRY_CFLAG([$flag])
done
AS_IF([test "x$enable_werror" = xyes], [MIHFS_CFLAGS="$MIHFS_CFLAGS -Werror"])
AC_SUBST([MIHFS_CFLAGS])
])

# MIHFS_TRY_CFLAG(FLAG)
# ---------------------
# Add FLAG to MIHFS_CFLAGS if the compiler takes it.
AC_DEFUN([MIHFS_TRY_CFLAG], [
mihfs_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS -Werror $1"
AC_MSG_CHECKING([whether $CC accepts $1])
AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
	[AC_MSG_RESULT([yes]); MIHFS_CFLAGS="$MIHFS_CFLAGS $1"],
	[AC_MSG_RESULT([no])])
CFLAGS=$mihfs_saved_cflags
])
