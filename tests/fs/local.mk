check_PROGRAMS += test_follow test_handover test_inode test_fs_options \
	test_kernel_mount
TESTS += test_follow test_handover test_inode test_fs_options \
	test_kernel_mount

# What happens between two of its calls can be played.
test_handover_SOURCES = tests/fs/test_handover.c
test_handover_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=bind
test_handover_LDADD = libfs.a libutil.a $(CMOCKA_LIBS)

test_kernel_mount_SOURCES = tests/fs/test_kernel_mount.c
test_kernel_mount_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=umount2
test_kernel_mount_LDADD = $(mihfs_LDADD) $(CMOCKA_LIBS)

test_inode_SOURCES = tests/fs/test_inode.c
test_inode_LDADD = libfs.a libutil.a $(CMOCKA_LIBS)
test_fs_options_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CFLAGS) -DFUSE_USE_VERSION=314
test_fs_options_SOURCES = tests/fs/test_fs_options.c
test_fs_options_LDADD = libfs.a libutil.a $(FUSE_LIBS) $(CMOCKA_LIBS)
test_follow_SOURCES = tests/fs/test_follow.c
test_follow_LDADD = libfs.a libverify.a libtree.a libgpu.a libsig.a \
	$(HASH_LIBS) libutil.a $(CRYPTO_LIBS) $(JANSSON_LIBS) $(XXHASH_LIBS) \
	$(CMOCKA_LIBS)
