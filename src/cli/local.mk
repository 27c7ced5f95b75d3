bin_PROGRAMS += mihfs
mihfs_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) \
	$(MICROHTTPD_CFLAGS) \
	-DMIH_CLI_DATA_DIR='"$(pkgdatadir)"'
mihfs_SOURCES = \
	src/cli/commands.h src/cli/main.c \
	src/cli/complete.c src/cli/complete.h \
	src/cli/options.c src/cli/options.h \
	src/cli/trust_options.c src/cli/trust_options.h \
	src/cli/check/cmd_inspect.c src/cli/check/cmd_verify.c \
	src/cli/export/export.c src/cli/export/export.h \
	src/cli/export/listen.c src/cli/export/listen.h \
	src/cli/doctor/cmd_doctor.c src/cli/doctor/devices.c \
	src/cli/doctor/doctor.h src/cli/doctor/fuse.c \
	src/cli/doctor/kernel.c src/cli/doctor/limits.c \
	src/cli/doctor/mounts.c src/cli/doctor/sandbox.c \
	src/cli/fd_helper/cmd_fd_helper.c \
	src/cli/fd_helper/helper.c src/cli/fd_helper/helper.h \
	src/cli/fd_helper/passed.c src/cli/fd_helper/passed.h \
	src/cli/host/cmd_bench.c src/cli/host/cmd_umount.c \
	src/cli/mount/cmd_mount.c \
	src/cli/mount/confine.c src/cli/mount/confine.h \
	src/cli/mount/daemon.c src/cli/mount/daemon.h \
	src/cli/mount/memory.c src/cli/mount/memory.h \
	src/cli/mount/mount_options.c src/cli/mount/mount_options.h \
	src/cli/mount/serve.h \
	src/cli/mount/source.c src/cli/mount/source.h \
	src/cli/pass/found.c src/cli/pass/ignore.c \
	src/cli/pass/outcome.c src/cli/pass/pass.c src/cli/pass/pass.h \
	src/cli/pass/progress.c src/cli/pass/progress.h \
	src/cli/pass/ranges.c src/cli/pass/ranges.h \
	src/cli/pass/report.c src/cli/pass/report.h \
	src/cli/pass/signed.c src/cli/pass/signed.h \
	src/cli/publish/cmd_digest.c src/cli/publish/cmd_sign.c \
	src/cli/publish/cmd_tree.c \
	src/cli/publish/password.c src/cli/publish/password.h \
	src/cli/service/mount_helper.c src/cli/service/mount_helper.h \
	src/cli/service/notify.c src/cli/service/notify.h \
	src/cli/service/watchdog.c src/cli/service/watchdog.h \
	src/cli/run/above.c src/cli/run/above.h \
	src/cli/run/cmd_run.c src/cli/run/namespace.c src/cli/run/namespace.h \
	src/cli/run/supervise.c src/cli/run/supervise.h \
	src/cli/status/cmd_status.c \
	src/cli/status/fetch.c src/cli/status/fetch.h \
	src/cli/status/words.c src/cli/status/words.h
# From the top layer down: each archive may use those behind it.
mihfs_LDADD = libfs.a libstatus.a libverify.a libtree.a libgpu.a libsig.a \
	$(HASH_LIBS) libsandbox.a libutil.a $(SECCOMP_LIBS) $(FUSE_LIBS) \
	$(CRYPTO_LIBS) $(JANSSON_LIBS) $(XXHASH_LIBS) $(MICROHTTPD_LIBS)

# mount(8) looks for a program of this name; it is the same one.
install-exec-hook:
	$(MKDIR_P) "$(DESTDIR)$(sbindir)"
	$(LN_S) -f "$(bindir)/mihfs" "$(DESTDIR)$(sbindir)/mount.mihfs"
