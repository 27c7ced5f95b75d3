/* Flat digests of many files at once: as many side by side as a path can do. */
#include "lib/test.h"
#include "hash/path.h"
#include "util/checked.h"
#include "verify/bulk/bulk_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB    ((size_t)1 << 20)
#define NFILES 40
#define LEN    (4 * MIB)
#define STEP   1000 /* each file begins so many bytes further on */
#define NHINTS 4

static uint8_t contents[LEN + NFILES * STEP];
static char folder[] = "flat.XXXXXX";
static int folder_fd;

static struct {
	char name[8];
	uint64_t nbytes;
	uint8_t digest[32];
	uint8_t states[NHINTS][MIH_HASH_SHA256_STATE];
	struct mih_sig_shard shards[3];
	uint8_t shard_states[NHINTS][MIH_HASH_SHA256_STATE];
} models[NFILES];

/* What one pass told. */
struct told {
	struct mih_verify_bulk_file files[NFILES];
	uint8_t states[NFILES][NHINTS][MIH_HASH_SHA256_STATE];
	atomic_uint nstates[NFILES], ndone[NFILES];
	mih_err fail;
};

static const uint8_t *bytes_of(size_t i)
{
	return contents + i * STEP;
}

/* Around whole MiB, and of no bytes. */
static uint64_t nbytes_of(size_t i)
{
	static const int around[] = {
		0, -1, 1, 63, 64, 12345, -MIH_HASH_GROUP
	};
	size_t mib = i % 4 * MIB;
	int more = around[i % MIH_ARRAY_LEN(around)];

	return mib || more > 0 ? mib + (size_t)(int64_t)more : 0;
}

static void digest_of(const uint8_t *data, uint64_t begin, uint64_t end,
		      uint8_t *digest)
{
	assert_int_equal(mih_hash_flat(MIH_HASH_SHA256, data + begin,
				       (size_t)(end - begin), digest),
			 0);
}

/* At each whole MiB of the file behind @begin, of a message from there on. */
static void take_states(size_t i, uint64_t begin, uint64_t end,
			uint8_t states[NHINTS][MIH_HASH_SHA256_STATE])
{
	struct mih_hash_stream *stream;

	assert_int_equal(mih_hash_stream_new(MIH_HASH_SHA256, &stream), 0);
	for (uint64_t to = (begin / MIB + 1) * MIB; to <= end; to += MIB) {
		assert_int_equal(mih_hash_stream_update(stream,
							bytes_of(i) + begin,
							(size_t)(to - begin)),
				 0);
		mih_hash_stream_sha256_state(stream, states[to / MIB - 1]);
		begin = to;
	}
	mih_hash_stream_free(stream);
}

/* The second begins at whole blocks, within a MiB; the third at a MiB. */
static void make_shards(size_t i)
{
	uint64_t ends[] = { 64 * 1001, MIB, models[i].nbytes };
	uint64_t begin = 0;

	for (size_t s = 0; s < 3; s++) {
		struct mih_sig_shard *shard = &models[i].shards[s];

		shard->begin = begin;
		shard->end = ends[s];
		digest_of(bytes_of(i), begin, ends[s], shard->digest);
		take_states(i, begin, ends[s], models[i].shard_states);
		begin = ends[s];
	}
}

static int setup_group(void **state)
{
	(void)state;
	mih_test_fill(contents, sizeof(contents), 3);
	if (!mkdtemp(folder))
		return -1;
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < NFILES; i++) {
		int fd;

		snprintf(models[i].name, sizeof(models[i].name), "%zu", i);
		models[i].nbytes = nbytes_of(i);
		fd =
		    openat(folder_fd, models[i].name, O_WRONLY | O_CREAT, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, bytes_of(i), models[i].nbytes),
				 models[i].nbytes);
		close(fd);
		digest_of(bytes_of(i), 0, models[i].nbytes, models[i].digest);
		take_states(i, 0, models[i].nbytes, models[i].states);
		if (models[i].nbytes > MIB)
			make_shards(i);
	}
	return 0;
}

static int teardown_group(void **state)
{
	(void)state;
	for (size_t i = 0; i < NFILES; i++)
		unlinkat(folder_fd, models[i].name, 0);
	close(folder_fd);
	return rmdir(folder);
}

static mih_err on_hint(void *context, size_t file, uint64_t i,
		       const uint8_t *state)
{
	struct told *told = context;

	assert_true(i < NHINTS);
	memcpy(told->states[file][i], state, MIH_HASH_SHA256_STATE);
	atomic_fetch_add(&told->nstates[file], 1);
	return told->fail ? mih_err_fail(told->fail, "hint: story") : 0;
}

static mih_err on_done(void *context, size_t file)
{
	struct told *told = context;

	atomic_fetch_add(&told->ndone[file], 1);
	return 0;
}

static void told_init(struct told *told)
{
	memset(told, 0, sizeof(*told));
	for (size_t i = 0; i < NFILES; i++) {
		told->files[i].path = models[i].name;
		told->files[i].nbytes = models[i].nbytes;
	}
}

static mih_err run(struct told *told, size_t nthreads)
{
	static const struct mih_io_links links = { .follow = false };
	struct mih_verify_bulk bulk = {
		.dirfd = folder_fd,
		.links = &links,
		.files = told->files,
		.nfiles = NFILES,
		.flat = MIH_HASH_SHA256,
		.dev = mih_gpu_cpu(),
		.nthreads = nthreads,
		.context = told,
		.hint = on_hint,
		.file_done = on_done,
	};

	return mih_verify_bulk_run(&bulk);
}

static void by_each_path(void (*check)(size_t nthreads))
{
	static const size_t nthreads[] = { 1, 2, 5, 33 };

	for (int p = 0; p < MIH_HASH_PATH_END; p++)
		for (size_t i = 0; i < MIH_ARRAY_LEN(nthreads); i++)
			if (!mih_hash_path_force((enum mih_hash_path)p))
				check(nthreads[i]);
	assert_int_equal(mih_hash_path_force(MIH_HASH_PATH_AUTO), 0);
}

static void expect_digest(const struct told *told, size_t i)
{
	assert_int_equal(told->files[i].err, 0);
	assert_int_equal(told->ndone[i], 1);
	assert_memory_equal(told->files[i].flat, models[i].digest, 32);
}

static void check_chains(size_t nthreads)
{
	struct told told;

	told_init(&told);
	assert_int_equal(run(&told, nthreads), 0);
	for (size_t i = 0; i < NFILES; i++) {
		size_t n = models[i].nbytes / MIB;

		expect_digest(&told, i);
		assert_int_equal(told.nstates[i], n);
		assert_memory_equal(told.states[i], models[i].states,
				    n * MIH_HASH_SHA256_STATE);
	}
}

static void test_each_file_has_its_digest_and_states(void **state)
{
	(void)state;
	by_each_path(check_chains);
}

/* Files with hints beside such without; one hint is wrong. */
static void check_hints(size_t nthreads)
{
	uint8_t wrong[NHINTS][MIH_HASH_SHA256_STATE];
	struct told told;
	size_t bad = 18; /* 2 MiB and more */

	told_init(&told);
	for (size_t i = 0; i < NFILES; i += 2)
		told.files[i].hints = models[i].states[0];
	memcpy(wrong, models[bad].states, sizeof(wrong));
	wrong[1][7] ^= 0x10;
	told.files[bad].hints = wrong[0];
	assert_int_equal(run(&told, nthreads), 0);
	for (size_t i = 0; i < NFILES; i++)
		if (i != bad)
			expect_digest(&told, i);
	assert_true(models[bad].nbytes >= 2 * MIB);
	assert_int_equal(told.files[bad].err, MIH_EDIGEST);
}

static void test_hints_lead_to_the_same(void **state)
{
	(void)state;
	by_each_path(check_hints);
}

/* Every second file by hints. Of the last two with shards one has a shard that
 * differs, in its second MiB. */
static void check_shards(size_t nthreads)
{
	struct told told;
	size_t nbad = 0, nmisled = 0;

	told_init(&told);
	for (size_t i = 0; i < NFILES; i++) {
		if (models[i].nbytes <= MIB)
			continue;
		told.files[i].shards = models[i].shards;
		told.files[i].nshards = 3;
		if (i / 4 % 2)
			told.files[i].hints = models[i].shard_states[0];
	}
	models[NFILES - 1].shards[2].digest[0] ^= 1;
	models[NFILES - 5].shards[2].digest[0] ^= 1;
	assert_int_equal(run(&told, nthreads), 0);
	models[NFILES - 1].shards[2].digest[0] ^= 1;
	models[NFILES - 5].shards[2].digest[0] ^= 1;
	for (size_t i = 0; i < NFILES; i++) {
		const struct mih_verify_bulk_file *file = &told.files[i];

		nbad += file->nbad;
		nmisled += file->err == MIH_EDIGEST;
		if (file->nbad)
			assert_int_equal(file->first_bad, 2);
		if (i != NFILES - 1 && i != NFILES - 5)
			assert_true(!file->err && !file->nbad);
		if (file->shards && !file->hints)
			assert_memory_equal(
			    told.states[i], models[i].shard_states,
			    models[i].nbytes / MIB * MIH_HASH_SHA256_STATE);
	}
	assert_int_equal(nbad, 1);
	assert_int_equal(nmisled, 1);
}

static void test_shards_are_held_against_their_digests(void **state)
{
	(void)state;
	by_each_path(check_shards);
}

static void check_stop(size_t nthreads)
{
	struct told told;

	told_init(&told);
	told.fail = -ENOSPC;
	assert_int_equal(run(&told, nthreads), -ENOSPC);
	assert_string_equal(mih_err_message(), "hint: story");
}

static void test_a_state_that_cannot_be_kept_ends_the_pass(void **state)
{
	(void)state;
	by_each_path(check_stop);
}

static void test_a_file_that_fails_fails_alone(void **state)
{
	struct told told;

	(void)state;
	told_init(&told);
	told.files[11].nbytes++;
	told.files[14].nbytes--;
	assert_int_equal(run(&told, 2), 0);
	for (size_t i = 0; i < NFILES; i++)
		if (i != 11 && i != 14)
			expect_digest(&told, i);
	assert_int_equal(told.files[11].err, -ENODATA);
	assert_int_equal(told.files[14].err, -EFBIG);
}

/* 256 MiB of pieces altogether, or one for each thread and one to read into. */
static void test_pieces_take_no_more_than_that(void **state)
{
	static const size_t nthreads[] = { 1, 2, 16, 64, 128, 256, 1000 };
	struct mih_verify_bulk_file file = { .nbytes = (uint64_t)1 << 40 };
	struct mih_verify_bulk bulk = {
		.files = &file,
		.nfiles = 1,
		.flat = MIH_HASH_SHA256,
		.dev = mih_gpu_cpu(),
	};

	(void)state;
	for (size_t i = 0; i < 2 * MIH_ARRAY_LEN(nthreads); i++) {
		struct mih_verify_bulk_shape shape;

		bulk.nthreads = nthreads[i / 2];
		file.hints = i % 2 ? models[0].states[0] : NULL;
		shape = mih_verify_bulk_shape(&bulk);
		assert_int_equal(shape.nthreads, bulk.nthreads);
		assert_true(shape.npieces > shape.nthreads);
		assert_true(shape.npieces * shape.piece <= 256 * MIB ||
			    shape.npieces == shape.nthreads + 1);
		assert_in_range(shape.width, 1, MIH_VERIFY_BULK_LINKS);
	}
}

static void test_many_threads_take_fewer_at_a_time(void **state)
{
	static const size_t widths[] = {
		[MIH_HASH_PATH_PORTABLE] = 1,
		[MIH_HASH_PATH_AVX2] = 8,
		[MIH_HASH_PATH_AVX512] = 16,
		[MIH_HASH_PATH_SHANI] = 4,
	};

	(void)state;
	for (int p = MIH_HASH_PATH_PORTABLE; p < MIH_HASH_PATH_END; p++) {
		if (mih_hash_path_force((enum mih_hash_path)p))
			continue;
		assert_int_equal(mih_verify_bulk_width(MIH_HASH_SHA256, 2),
				 widths[p]);
		assert_int_equal(mih_verify_bulk_width(MIH_HASH_SHA256, 128),
				 MIH_MIN(widths[p], (size_t)2));
		assert_int_equal(mih_verify_bulk_width(MIH_HASH_SHA256, 1000),
				 1);
		assert_int_equal(mih_verify_bulk_width(MIH_HASH_BLAKE2B, 2), 1);
	}
	assert_int_equal(mih_hash_path_force(MIH_HASH_PATH_AUTO), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_file_has_its_digest_and_states),
		cmocka_unit_test(test_hints_lead_to_the_same),
		cmocka_unit_test(test_shards_are_held_against_their_digests),
		cmocka_unit_test(
		    test_a_state_that_cannot_be_kept_ends_the_pass),
		cmocka_unit_test(test_a_file_that_fails_fails_alone),
		cmocka_unit_test(test_pieces_take_no_more_than_that),
		cmocka_unit_test(test_many_threads_take_fewer_at_a_time),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
