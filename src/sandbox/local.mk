noinst_LIBRARIES += libsandbox.a
libsandbox_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
libsandbox_a_SOURCES = \
	src/sandbox/capabilities.c src/sandbox/filter.c \
	src/sandbox/landlock.c \
	src/sandbox/sandbox.c src/sandbox/sandbox.h \
	src/sandbox/sandbox_internal.h
