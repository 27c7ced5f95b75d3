noinst_LIBRARIES += libstatus.a
libstatus_a_SOURCES = \
	src/status/documents.c src/status/documents.h \
	src/status/failures.c \
	src/status/figures.c src/status/figures.h \
	src/status/json.c src/status/metrics.c \
	src/status/manifest.c src/status/manifest.h \
	src/status/snapshot.c src/status/snapshot.h \
	src/status/status.c src/status/status.h \
	src/status/status_internal.h
