# MIHFS_LIBS
# ----------
# The libraries mihfs cannot do without, and cmocka for the tests.
AC_DEFUN([MIHFS_LIBS], [
PKG_CHECK_MODULES([FUSE], [fuse3 >= 3.14])
PKG_CHECK_MODULES([CRYPTO], [libcrypto >= 3.0])
PKG_CHECK_MODULES([JANSSON], [jansson >= 2.12])
PKG_CHECK_MODULES([XXHASH], [libxxhash >= 0.8])
PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1.5], [have_cmocka=yes], [have_cmocka=no])
AM_CONDITIONAL([HAVE_CMOCKA], [test "x$have_cmocka" = xyes])
AC_SEARCH_LIBS([pthread_create], [pthread], [],
	[AC_MSG_ERROR([POSIX threads are required])])
])
