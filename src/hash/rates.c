#include "hash/rates.h"
#include "hash/group.h"
#include "hash/leaves.h"
#include "hash/stream.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <openssl/evp.h>
#include <time.h>

/* What the engine and the bulk pass hash at a time, as soon as they have read
 * it: an extent, still in the core's cache. */
#define NBYTES_DEFAULT ((size_t)1 << 20)
#define REPEAT_DEFAULT 100
#define NSEGMENTS      16

struct bench {
	const uint8_t *data;
	size_t nbytes;
	uint8_t *out; /* room for a digest of each 4 KiB block */
};

/** What is measured; run() hashes the whole buffer once. */
struct subject {
	const char *what;
	enum mih_hash_alg alg;
	mih_err (*run)(const struct subject *subject, struct bench *bench);
	const char *base; /* the same, by the crypto library */
	const char *md;	  /* its name there; NULL: no base */
	bool only_auto;	  /* one message: paths make no difference */
};

/* Of this thread only: what else runs on the machine does not count. */
static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static mih_err run_groups(const struct subject *subject, struct bench *bench)
{
	struct mih_hash_range range = { .data = bench->data,
					.len = bench->nbytes };

	mih_hash_groups(subject->alg, &range, 1, bench->out);
	return 0;
}

static mih_err run_leaves(const struct subject *subject, struct bench *bench)
{
	(void)subject;
	mih_hash_blake2b_leaves(bench->data, bench->nbytes / MIH_HASH_BLOCK,
				bench->out);
	return 0;
}

static mih_err run_segments(const struct subject *subject, struct bench *bench)
{
	struct mih_hash_segment segments[NSEGMENTS] = { 0 };
	size_t nblocks = bench->nbytes / NSEGMENTS / 64;

	(void)subject;
	for (size_t i = 0; i < NSEGMENTS; i++) {
		segments[i].data = bench->data + i * nblocks * 64;
		segments[i].nblocks = nblocks;
	}
	mih_hash_sha256_segments(segments, NSEGMENTS);
	return 0;
}

static mih_err run_flat(const struct subject *subject, struct bench *bench)
{
	return mih_hash_flat(subject->alg, bench->data, bench->nbytes,
			     bench->out);
}

static const struct subject subjects[] = {
	{ "mth4k-sha256", MIH_HASH_MTH4K_SHA256, run_groups, "OpenSSL sha256",
	  "SHA2-256" },
	{ "mth4k-sha512", MIH_HASH_MTH4K_SHA512, run_groups, "OpenSSL sha512",
	  "SHA2-512" },
	{ "mth4k-sha3-256", MIH_HASH_MTH4K_SHA3_256, run_groups,
	  "OpenSSL sha3-256", "SHA3-256" },
	{ "blake3", MIH_HASH_BLAKE3, run_groups, "b3sum", NULL },
	{ "blake2b leaves", MIH_HASH_BLAKE2B, run_leaves, "OpenSSL blake2b",
	  "BLAKE2B-512" },
	{ "sha256 segments", MIH_HASH_SHA256, run_segments, "OpenSSL sha256",
	  "SHA2-256" },
	{ "sha256 flat", MIH_HASH_SHA256, run_flat, "OpenSSL sha256",
	  "SHA2-256", .only_auto = true },
	{ "blake3 flat", MIH_HASH_BLAKE3, run_flat, "b3sum", NULL,
	  .only_auto = true },
};

static mih_err base_s(struct bench *bench, const EVP_MD *md, double *best)
{
	double start = now_s(), took;

	if (EVP_Digest(bench->data, bench->nbytes, bench->out, NULL, md,
		       NULL) != 1)
		return -EIO;
	took = now_s() - start;
	*best = MIH_MIN(*best, took);
	return 0;
}

static mih_err subject_s(struct bench *bench, const struct subject *subject,
			 double *best)
{
	double start = now_s(), took;
	mih_err err = subject->run(subject, bench);

	took = now_s() - start;
	*best = MIH_MIN(*best, took);
	return err;
}

/* Subject and base in turn, @repeat times. */
static mih_err measure_row(struct bench *bench, const struct subject *subject,
			   unsigned repeat, struct mih_hash_rate *row)
{
	EVP_MD *md = subject->md ? EVP_MD_fetch(NULL, subject->md, NULL) : NULL;
	double best = 1e9, base = 1e9;
	mih_err err = subject->md && !md ? -EIO : 0;

	for (unsigned i = 0; i < repeat && !err; i++) {
		err = subject_s(bench, subject, &best);
		if (!err && md)
			err = base_s(bench, md, &base);
	}
	EVP_MD_free(md);
	row->what = subject->what;
	row->gb_per_s = (double)bench->nbytes / best / 1e9;
	row->base = subject->base;
	row->base_gb_per_s = md ? (double)bench->nbytes / base / 1e9 : 0;
	return err;
}

static mih_err measure_paths(struct mih_hash_rates *rates, struct bench *bench,
			     const struct subject *subject)
{
	for (int p = MIH_HASH_PATH_AUTO; p < MIH_HASH_PATH_END; p++) {
		enum mih_hash_path path = (enum mih_hash_path)p;
		struct mih_hash_rate *row = &rates->rows[rates->n];
		mih_err err;

		if (path != MIH_HASH_PATH_AUTO && subject->only_auto)
			continue;
		if (path == MIH_HASH_PATH_SHANI &&
		    subject->alg != MIH_HASH_SHA256 &&
		    subject->alg != MIH_HASH_MTH4K_SHA256)
			continue;
		if (mih_hash_path_force(path))
			continue;
		err = measure_row(bench, subject, rates->repeat, row);
		if (err)
			return err;
		row->path = path;
		rates->n++;
	}
	return 0;
}

mih_err mih_hash_rates_measure(struct mih_hash_rates *rates)
{
	mih_autofree uint8_t *data = NULL, *out = NULL;
	struct bench bench;
	mih_err err = 0;

	if (!rates->nbytes)
		rates->nbytes = NBYTES_DEFAULT;
	if (!rates->repeat)
		rates->repeat = REPEAT_DEFAULT;
	rates->n = 0;
	out = malloc(rates->nbytes / MIH_HASH_BLOCK * MIH_HASH_LEN_MAX);
	if (!out ||
	    posix_memalign((void **)&data, MIH_HASH_BLOCK, rates->nbytes))
		return -ENOMEM;
	for (size_t i = 0; i < rates->nbytes; i++)
		data[i] = (uint8_t)(i % 251);
	bench =
	    (struct bench){ .data = data, .nbytes = rates->nbytes, .out = out };
	for (size_t i = 0; i < MIH_ARRAY_LEN(subjects) && !err; i++)
		err = measure_paths(rates, &bench, &subjects[i]);
	/* The choice is the program's again. */
	return mih_hash_path_force(MIH_HASH_PATH_AUTO) ? -EIO : err;
}
