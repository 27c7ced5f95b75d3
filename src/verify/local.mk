noinst_LIBRARIES += libverify.a
libverify_a_SOURCES = \
	src/verify/bulk.c src/verify/bulk.h \
	src/verify/engine.h src/verify/model.c src/verify/model.h \
	src/verify/scan.c src/verify/scan.h
