noinst_LIBRARIES += libutil.a
libutil_a_SOURCES = \
	src/util/bytes.c src/util/bytes.h \
	src/util/checked.h src/util/cleanup.h \
	src/util/err.c src/util/err.h \
	src/util/host/cgroup.c src/util/host/cgroup.h \
	src/util/host/clock.h \
	src/util/host/huge.c src/util/host/huge.h \
	src/util/host/node.c src/util/host/node.h \
	src/util/host/pages.c src/util/host/pages.h \
	src/util/host/thread.c src/util/host/thread.h \
	src/util/io.c src/util/io.h \
	src/util/log.c src/util/log.h \
	src/util/log/record.c src/util/log/record.h \
	src/util/log/system.c src/util/log/system.h \
	src/util/out/buffer.c src/util/out/buffer.h \
	src/util/out/json.c src/util/out/json.h \
	src/util/pool.c src/util/pool.h \
	src/util/text.c src/util/text.h
