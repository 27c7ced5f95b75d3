noinst_LIBRARIES += libfs.a
libfs_a_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CFLAGS) -DFUSE_USE_VERSION=314
libfs_a_SOURCES = \
	src/fs/answer.c \
	src/fs/control/control.c src/fs/control/control_internal.h \
	src/fs/control/place.h \
	src/fs/data.c src/fs/folder.c src/fs/fs_internal.h \
	src/fs/generation/follow.c src/fs/generation/follow.h \
	src/fs/generation/generation.c src/fs/generation/generation.h \
	src/fs/generation/inode.c src/fs/generation/inode.h \
	src/fs/generation/keeper.c src/fs/generation/keeper.h \
	src/fs/host/detach.c src/fs/host/detach.h \
	src/fs/host/mountinfo.c src/fs/host/mountinfo.h \
	src/fs/host/mountpoint.c src/fs/host/mountpoint.h \
	src/fs/host/probe.c src/fs/host/probe.h \
	src/fs/mount.c src/fs/mount.h src/fs/names.c \
	src/fs/options.c src/fs/readonly.c src/fs/reply.c \
	src/fs/serve/mode.c src/fs/serve/mode.h \
	src/fs/stop.c src/fs/xattr.c \
	src/fs/unmount/leave.c src/fs/unmount/unmounter.c src/fs/unmount/unmounter.h \
	src/fs/pass/handover.c src/fs/pass/handover.h \
	src/fs/pass/kernel_mount.c src/fs/pass/kernel_mount.h
