noinst_LIBRARIES += libfs.a
libfs_a_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CFLAGS)
libfs_a_SOURCES = src/fs/mount.h
