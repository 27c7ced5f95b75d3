/*
 * Where nothing is known beforehand that a wrong digest would differ from, the
 * processor hashes some of the pieces again that a device has hashed. Which
 * ones nobody can foresee: a device that errs by a pattern must not miss them
 * by the same pattern.
 */
#include "verify/bulk/bulk_internal.h"

#include <sys/random.h>

#define ONE_IN 16 /* divides what a byte can be, so that all are as likely */

_Static_assert(256 % ONE_IN == 0, "no piece is likelier than another");

/* Without random numbers every piece is a sample. */
static bool draw(struct mih_verify_bulk_samples *samples)
{
	ssize_t n;

	if (samples->nrandom == 0) {
		n = getrandom(samples->random, sizeof(samples->random), 0);
		samples->nrandom = n > 0 ? (size_t)n : 0;
	}
	if (samples->nrandom == 0)
		return true;
	return samples->random[--samples->nrandom] % ONE_IN == 0;
}

mih_err mih_verify_bulk_sample(const struct mih_verify_bulk *bulk,
			       struct mih_gpu_batch *batch,
			       pthread_mutex_t *lock)
{
	struct mih_verify_bulk_samples *samples = bulk->samples;
	bool lied;

	if (!samples || batch->by == mih_gpu_cpu())
		return 0;
	samples->npieces++;
	if (batch->ranges[0].off > 0 && !draw(samples))
		return 0;
	samples->ndrawn++;
	pthread_mutex_unlock(lock);
	(void)mih_gpu_confirm(batch, &lied);
	pthread_mutex_lock(lock);
	if (!lied)
		return 0;
	samples->differ = true;
	return mih_err_fail(MIH_EBACKEND, "a device gave a wrong digest");
}

mih_err mih_verify_bulk_tell(const struct mih_verify_bulk *bulk, size_t file,
			     const struct mih_gpu_batch *batch)
{
	const struct mih_hash_range *range = &batch->ranges[0];

	if (!bulk->groups)
		return 0;
	return bulk->groups(bulk->context, file, range->off / MIH_HASH_GROUP,
			    batch->digests,
			    (size_t)mih_hash_ngroups(range->len));
}

mih_err mih_verify_bulk_take(const struct mih_verify_bulk *bulk, size_t file,
			     struct mih_gpu_batch *batch, pthread_mutex_t *lock)
{
	mih_err err = mih_verify_bulk_sample(bulk, batch, lock);

	if (err)
		return err;
	pthread_mutex_unlock(lock);
	err = mih_verify_bulk_tell(bulk, file, batch);
	pthread_mutex_lock(lock);
	return err;
}
