/*
 * tests/verify/engine_test.h - an engine over a test model, and calls that wait
 */
#ifndef MIH_TESTS_VERIFY_ENGINE_TEST_H
#define MIH_TESTS_VERIFY_ENGINE_TEST_H

#include "lib/model.h"
#include "lib/test.h"
#include "util/checked.h"
#include "verify/engine.h"

#define KIB   ((uint64_t)1 << 10)
#define MIB   ((uint64_t)1 << 20)
#define GROUP ((uint64_t)MIH_HASH_GROUP)

/** Everything a test needs; set model and, if wanted, params before start. */
struct engine_test {
	struct mih_test_model disk;
	struct mih_verify_model *model;
	struct mih_gpu_dev *dev;
	struct mih_verify_engine *engine;
	struct mih_verify_engine_params params;
	atomic_uint nlines;  /* failures reported */
	atomic_uint nlimits; /* of them saying that no more will come */
	char line[1024];     /* the last one */
};

/** mih_test_engine_start() - make the model and an engine over it. */
void mih_test_engine_start(struct engine_test *t,
			   const struct mih_test_model_params *disk);
/** mih_test_engine_restart() - a new engine over what is on disk now. */
void mih_test_engine_restart(struct engine_test *t);
/** mih_test_engine_end() - release and delete everything. */
void mih_test_engine_end(struct engine_test *t);

/** mih_test_engine_open() - open @file and wait. */
mih_err mih_test_engine_open(struct engine_test *t, size_t file);

/** mih_test_engine_read() - read and wait; copies to @buf. Return: the error.
 */
mih_err mih_test_engine_read(struct engine_test *t, size_t file, uint64_t off,
			     size_t len, void *buf);

/** mih_test_engine_check() - read; 0 and right bytes, or an error; else fails.
 */
mih_err mih_test_engine_check(struct engine_test *t, size_t file, uint64_t off,
			      size_t len);

/** mih_test_engine_check_all() - open, check every byte in MiB reads, close. */
void mih_test_engine_check_all(struct engine_test *t, size_t file);

/** mih_test_engine_ms() - a clock in milliseconds. */
uint64_t mih_test_engine_ms(void);
/** mih_test_engine_sleep() - sleep so many milliseconds. */
void mih_test_engine_sleep(unsigned ms);
/** mih_test_engine_stats() - of the engine. */
struct mih_verify_stats mih_test_engine_stats(struct engine_test *t);

#endif
