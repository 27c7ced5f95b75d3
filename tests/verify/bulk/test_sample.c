/* Which pieces are samples, and what becomes of one that differs. */
#include "lib/test.h"
#include "gpu/device.h"
#include "verify/bulk/bulk_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define NPIECES 4096
#define MEAN	(NPIECES / 16)

/* A device that is not the processor, and whose digests the test makes. */
static unsigned nfailed;

static void put_down(struct mih_gpu_dev *dev, const char *why)
{
	(void)dev;
	assert_string_equal(why, "it gave a wrong digest");
	nfailed++;
}

static bool is_wrong; /* about what is submitted */

static void submit(struct mih_gpu_dev *dev, struct mih_gpu_batch *batch)
{
	mih_hash_groups(batch->alg, batch->ranges, batch->nranges,
			batch->digests);
	batch->digests[0] ^= is_wrong;
	batch->by = dev;
	batch->done(batch, 0);
}

static const struct mih_gpu_ops ops = { .fail = put_down, .submit = submit };
static struct mih_gpu_dev device = { .ops = &ops, .kind = "test" };

static uint8_t data[3 * MIH_HASH_GROUP / 2];

/* One piece of two groups, rightly hashed. */
struct piece {
	struct mih_gpu_batch batch;
	struct mih_hash_range range;
	uint8_t digests[2 * MIH_HASH_LEN_MAX];
};

static void piece_init(struct piece *piece, uint64_t off)
{
	*piece = (struct piece){
		.range = { .data = data, .len = sizeof(data), .off = off },
	};
	piece->batch = (struct mih_gpu_batch){
		.alg = MIH_HASH_MTH4K_SHA256,
		.ranges = &piece->range,
		.nranges = 1,
		.digests = piece->digests,
		.by = &device,
	};
	mih_hash_groups(MIH_HASH_MTH4K_SHA256, &piece->range, 1,
			piece->digests);
}

static mih_err sample(struct mih_verify_bulk_samples *samples,
		      struct piece *piece)
{
	const struct mih_verify_bulk bulk = { .samples = samples };
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	mih_err err;

	pthread_mutex_lock(&lock);
	err = mih_verify_bulk_sample(&bulk, &piece->batch, &lock);
	assert_int_equal(pthread_mutex_unlock(&lock), 0);
	return err;
}

static void test_the_first_piece_of_each_file_is_one(void **state)
{
	struct mih_verify_bulk_samples samples = { 0 };
	struct piece piece;

	(void)state;
	for (unsigned i = 1; i <= 100; i++) {
		piece_init(&piece, 0);
		assert_int_equal(sample(&samples, &piece), 0);
		assert_int_equal(samples.npieces, i);
		assert_int_equal(samples.ndrawn, i);
		assert_ptr_equal(piece.batch.by, mih_gpu_cpu());
	}
	assert_false(samples.differ);
}

/* Which of NPIECES pieces are; returns how many. Bounds of eight standard
 * deviations are left once in 10^14 runs. */
static unsigned draw_many(bool *drawn)
{
	struct mih_verify_bulk_samples samples = { 0 };
	struct piece piece;
	unsigned n = 0;

	piece_init(&piece, MIH_VERIFY_BULK_PIECE);
	for (size_t i = 0; i < NPIECES; i++) {
		piece.batch.by = &device;
		assert_int_equal(sample(&samples, &piece), 0);
		drawn[i] = piece.batch.by == mih_gpu_cpu();
		n += drawn[i];
	}
	assert_int_equal(samples.npieces, NPIECES);
	assert_int_equal(samples.ndrawn, n);
	return n;
}

static void test_of_the_others_one_in_sixteen(void **state)
{
	static bool drawn[NPIECES];
	unsigned n = draw_many(drawn);

	(void)state;
	assert_in_range(n, MEAN - 8 * 16, MEAN + 8 * 16);
}

static void test_nobody_can_foresee_which(void **state)
{
	static bool one[NPIECES], other[NPIECES];
	unsigned by_stride[16] = { 0 };
	unsigned most = 0;

	(void)state;
	draw_many(one);
	draw_many(other);
	assert_memory_not_equal(one, other, sizeof(one));
	/* Nor do they prefer a place among 16: of each 256 are 16 expected. */
	for (size_t i = 0; i < NPIECES; i++)
		by_stride[i % 16] += one[i];
	for (size_t i = 0; i < 16; i++)
		most = by_stride[i] > most ? by_stride[i] : most;
	assert_in_range(most, 1, 16 + 12 * 4);
}

static void test_the_processor_needs_none(void **state)
{
	struct mih_verify_bulk_samples samples = { 0 };
	struct piece piece;

	(void)state;
	piece_init(&piece, 0);
	piece.digests[0] ^= 1; /* nobody looks */
	piece.batch.by = mih_gpu_cpu();
	assert_int_equal(sample(&samples, &piece), 0);
	assert_int_equal(samples.npieces, 0);
	piece.batch.by = &device;
	assert_int_equal(sample(NULL, &piece), 0);
	assert_ptr_equal(piece.batch.by, &device);
}

/* One bit anywhere in either digest. */
static void test_a_wrong_digest_ends_the_device(void **state)
{
	size_t len = mih_hash_info(MIH_HASH_MTH4K_SHA256)->len;
	struct piece right, piece;

	(void)state;
	piece_init(&right, 0);
	for (size_t bit = 0; bit < 2 * len * 8; bit++) {
		struct mih_verify_bulk_samples samples = { 0 };

		piece_init(&piece, 0);
		piece.digests[bit / 8] ^= (uint8_t)(1u << bit % 8);
		nfailed = 0;
		assert_int_equal(sample(&samples, &piece), MIH_EBACKEND);
		assert_string_equal(mih_err_message(),
				    "a device gave a wrong digest");
		assert_true(samples.differ);
		assert_int_equal(nfailed, 1);
		assert_memory_equal(piece.digests, right.digests, 2 * len);
	}
}

/* --- a whole pass -------------------------------------------------------- */

#define FILE_NBYTES ((uint64_t)24 << 20)

struct reading {
	int fd;		  /* of the file */
	bool cuts;	  /* it off, while it is read */
	unsigned ndone;	  /* files told complete */
	atomic_uint ngot; /* pieces */
};

static mih_err on_groups(void *context, size_t file, uint64_t first,
			 const uint8_t *digests, size_t n)
{
	struct reading *reading = context;

	(void)file;
	(void)first;
	(void)digests;
	assert_int_equal(n, MIH_VERIFY_BULK_GROUPS);
	if (atomic_fetch_add(&reading->ngot, 1) == 3 && reading->cuts)
		assert_int_equal(ftruncate(reading->fd, 1), 0);
	return 0;
}

static mih_err on_done(void *context, size_t file)
{
	struct reading *reading = context;

	(void)file;
	reading->ndone++;
	return 0;
}

/* Read one file of noughts by one thread, as by @reading. */
static mih_err read_file(struct reading *reading,
			 struct mih_verify_bulk_samples *samples,
			 struct mih_verify_bulk_file *file)
{
	static const struct mih_io_links links = { .follow = false };
	char name[] = "sample.XXXXXX";
	struct mih_verify_bulk bulk = {
		.dirfd = AT_FDCWD,
		.links = &links,
		.files = file,
		.nfiles = 1,
		.tree = MIH_HASH_MTH4K_SHA256,
		.dev = &device,
		.samples = samples,
		.nthreads = 1,
		.context = reading,
		.groups = on_groups,
		.file_done = on_done,
	};
	mih_err err;

	reading->fd = mkstemp(name);
	assert_true(reading->fd >= 0);
	assert_int_equal(ftruncate(reading->fd, FILE_NBYTES), 0);
	*file = (struct mih_verify_bulk_file){ .path = name,
					       .nbytes = FILE_NBYTES };
	err = mih_verify_bulk_run(&bulk);
	unlink(name);
	close(reading->fd);
	file->path = NULL;
	return err;
}

static void test_a_pass_draws_them(void **state)
{
	struct mih_verify_bulk_samples samples = { 0 };
	struct reading reading = { 0 };
	struct mih_verify_bulk_file file;

	(void)state;
	is_wrong = false;
	assert_int_equal(read_file(&reading, &samples, &file), 0);
	assert_int_equal(file.err, 0);
	assert_int_equal(samples.npieces, reading.ngot);
	assert_in_range(samples.ndrawn, 1, samples.npieces);
	assert_int_equal(reading.ndone, 1);
}

static void test_a_pass_ends_with_one_that_differs(void **state)
{
	struct mih_verify_bulk_samples samples = { 0 };
	struct reading reading = { 0 };
	struct mih_verify_bulk_file file;

	(void)state;
	is_wrong = true;
	nfailed = 0;
	assert_int_equal(read_file(&reading, &samples, &file), MIH_EBACKEND);
	assert_true(samples.differ);
	assert_int_equal(nfailed, 1);
	assert_int_equal(reading.ndone, 0);
}

/* What cannot be read was not hashed: there is nothing to hold it against. */
static void test_a_file_that_fails_blames_no_device(void **state)
{
	struct mih_verify_bulk_samples samples = { 0 };
	struct reading reading = { .cuts = true };
	struct mih_verify_bulk_file file;

	(void)state;
	is_wrong = false;
	nfailed = 0;
	assert_int_equal(read_file(&reading, &samples, &file), 0);
	assert_int_equal(file.err, -ENODATA);
	assert_in_range(samples.npieces, 1, reading.ngot);
	assert_false(samples.differ);
	assert_int_equal(nfailed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_piece_of_each_file_is_one),
		cmocka_unit_test(test_of_the_others_one_in_sixteen),
		cmocka_unit_test(test_nobody_can_foresee_which),
		cmocka_unit_test(test_the_processor_needs_none),
		cmocka_unit_test(test_a_wrong_digest_ends_the_device),
		cmocka_unit_test(test_a_pass_draws_them),
		cmocka_unit_test(test_a_pass_ends_with_one_that_differs),
		cmocka_unit_test(test_a_file_that_fails_blames_no_device),
	};

	mih_test_fill(data, sizeof(data), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
