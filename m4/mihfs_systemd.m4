# MIHFS_SYSTEMD
# --with-systemdsystemunitdir=DIR|no: where the units of the system go. Without
# it none is installed.
AC_DEFUN([MIHFS_SYSTEMD], [
AC_ARG_WITH([systemdsystemunitdir],
	[AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
		[install mihfs@.service there (no)])],
	[], [with_systemdsystemunitdir=no])
AS_CASE([$with_systemdsystemunitdir],
	[no], [systemdsystemunitdir=],
	[yes], [AC_MSG_ERROR([--with-systemdsystemunitdir needs a folder])],
	[systemdsystemunitdir=$with_systemdsystemunitdir])
AC_SUBST([systemdsystemunitdir])
AM_CONDITIONAL([HAVE_SYSTEMD_UNIT_DIR], [test -n "$systemdsystemunitdir"])
])
