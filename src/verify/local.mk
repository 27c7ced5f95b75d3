noinst_LIBRARIES += libverify.a
libverify_a_SOURCES = \
	src/verify/ahead/ahead_internal.h src/verify/ahead/learn.c \
	src/verify/ahead/safetensors.c src/verify/ahead/strides.c \
	src/verify/bulk.h \
	src/verify/bulk/bulk.c src/verify/bulk/bulk_internal.h \
	src/verify/bulk/flat.c src/verify/bulk/link.c \
	src/verify/bulk/pass_internal.h \
	src/verify/bulk/sample.c src/verify/bulk/shape.c \
	src/verify/bulk/source.c \
	src/verify/engine.h \
	src/verify/engine/ahead.c \
	src/verify/engine/cache_internal.h \
	src/verify/engine/engine.c \
	src/verify/engine/engine_internal.h \
	src/verify/engine/extent.c \
	src/verify/engine/file_internal.h \
	src/verify/engine/layer.c \
	src/verify/engine/layer_internal.h \
	src/verify/engine/load.c \
	src/verify/engine/open.c \
	src/verify/engine/proof.c \
	src/verify/engine/read.c \
	src/verify/engine/verdict.c \
	src/verify/engine/verdict_internal.h \
	src/verify/look.c src/verify/look.h \
	src/verify/count/counts.h \
	src/verify/model.c src/verify/model.h \
	src/verify/scan.c src/verify/scan.h \
	src/verify/shards/edge.c src/verify/shards/read.c \
	src/verify/shards/shards.c src/verify/shards/unit_internal.h \
	src/verify/source/fetch.c src/verify/source/source.c \
	src/verify/source/source_internal.h \
	src/verify/count/tally.c src/verify/count/tally_internal.h \
	src/verify/stage/check.c \
	src/verify/stage/fill.c \
	src/verify/stage/stage.c src/verify/stage/stage_internal.h
