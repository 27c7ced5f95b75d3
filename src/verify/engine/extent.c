/*
 * The cache: extents found by (file, index), slots that hold their bytes, and
 * what is dropped when there are too many.
 *
 * Each shard keeps its extents in order of last use and publishes the age of
 * the oldest, so that eviction finds the oldest of all with one look per
 * shard. An extent with loads in flight is in no list: it cannot be dropped.
 */
#include "util/host/clock.h"
#include "verify/engine/engine_internal.h"

#include <stdlib.h>

static const size_t class_room[NCLASSES] = {
	4096, 16384, 65536, 131072, 262144, 524288, 1048576,
};

unsigned mih_verify_slot_class(size_t len)
{
	unsigned i = 0;

	while (class_room[i] < len)
		i++;
	return i;
}

size_t mih_verify_slot_room(unsigned size_class)
{
	return class_room[size_class];
}

static struct mih_verify_slot *spare_take(struct mih_verify_spare *spare,
					  unsigned size_class)
{
	struct mih_verify_slot *slot;

	pthread_mutex_lock(&spare->lock);
	slot = spare->slots[size_class];
	if (slot) {
		spare->slots[size_class] = slot->next;
		spare->bytes -= class_room[size_class];
	}
	pthread_mutex_unlock(&spare->lock);
	return slot;
}

static bool spare_give(struct mih_verify_spare *spare,
		       struct mih_verify_slot *slot)
{
	size_t room = class_room[slot->size_class];
	bool kept;

	pthread_mutex_lock(&spare->lock);
	kept = spare->bytes + room <= SPARE_MAX;
	if (kept) {
		slot->next = spare->slots[slot->size_class];
		spare->slots[slot->size_class] = slot;
		spare->bytes += room;
	}
	pthread_mutex_unlock(&spare->lock);
	return kept;
}

static void slot_free(struct mih_verify_slot *slot)
{
	mih_gpu_staging_free(slot->engine->dev, slot->data,
			     class_room[slot->size_class]);
	free(slot);
}

void mih_verify_spare_drop(struct mih_verify_engine *engine)
{
	for (unsigned i = 0; i < NCLASSES; i++) {
		struct mih_verify_slot *slot;

		while ((slot = spare_take(&engine->spare, i)))
			slot_free(slot);
	}
}

struct mih_verify_slot *mih_verify_slot_new(struct mih_verify_engine *engine,
					    unsigned size_class)
{
	struct mih_verify_slot *slot = spare_take(&engine->spare, size_class);

	if (slot) {
		slot->data = mih_gpu_staging_renew(engine->dev, slot->data,
						   class_room[size_class]);
	} else {
		slot = malloc(sizeof(*slot));
		if (!slot)
			return NULL;
		slot->engine = engine;
		slot->size_class = size_class;
		slot->data =
		    mih_gpu_staging_alloc(engine->dev, class_room[size_class]);
		if (!slot->data) {
			free(slot);
			return NULL;
		}
	}
	atomic_store_explicit(&slot->refs, 1, memory_order_relaxed);
	return slot;
}

struct mih_verify_slot *mih_verify_slot_get(struct mih_verify_slot *slot)
{
	atomic_fetch_add_explicit(&slot->refs, 1, memory_order_relaxed);
	return slot;
}

void mih_verify_slot_put(struct mih_verify_slot *slot)
{
	struct mih_verify_engine *engine = slot->engine;

	if (atomic_fetch_sub_explicit(&slot->refs, 1, memory_order_acq_rel) !=
	    1)
		return;
	atomic_fetch_sub_explicit(&engine->cache_bytes,
				  class_room[slot->size_class],
				  memory_order_relaxed);
	if (!spare_give(&engine->spare, slot))
		slot_free(slot);
}

struct mih_verify_shard *mih_verify_shard_of(struct mih_verify_engine *engine,
					     uint32_t file, uint64_t index)
{
	return &engine->shards[mih_verify_mix(file, index) % NSHARDS];
}

static struct mih_verify_extent **bucket_of(struct mih_verify_shard *shard,
					    uint32_t file, uint64_t index)
{
	return &shard
		    ->buckets[mih_verify_mix(file, index) / NSHARDS % NBUCKETS];
}

static void publish_oldest(struct mih_verify_ages *ages)
{
	struct mih_verify_extent *oldest = TAILQ_FIRST(&ages->lru);

	atomic_store_explicit(&ages->oldest_ns,
			      oldest ? oldest->used_ns : UINT64_MAX,
			      memory_order_relaxed);
}

/* An extent whose loads have ended waits in a list; take it out for use. */
static void ages_leave(struct mih_verify_shard *shard,
		       struct mih_verify_extent *extent)
{
	struct mih_verify_ages *ages = &shard->ages[extent->worth];

	TAILQ_REMOVE(&ages->lru, extent, lru);
	publish_oldest(ages);
}

static void ages_enter(struct mih_verify_shard *shard,
		       struct mih_verify_extent *extent)
{
	struct mih_verify_ages *ages = &shard->ages[extent->worth];

	extent->used_ns = mih_clock_ns();
	TAILQ_INSERT_TAIL(&ages->lru, extent, lru);
	publish_oldest(ages);
}

static struct mih_verify_extent *extent_new(struct mih_verify_engine *engine,
					    uint32_t file, uint64_t index)
{
	struct mih_verify_extent *extent = calloc(1, sizeof(*extent));

	if (!extent)
		return NULL;
	extent->worth = MIH_VERIFY_KEPT;
	extent->file = file;
	extent->index = index;
	LIST_INIT(&extent->loads);
	atomic_fetch_add_explicit(&engine->cache_bytes, sizeof(*extent),
				  memory_order_relaxed);
	return extent;
}

struct mih_verify_extent *
mih_verify_extent_get(struct mih_verify_engine *engine,
		      struct mih_verify_shard *shard, uint32_t file,
		      uint64_t index)
{
	struct mih_verify_extent **bucket = bucket_of(shard, file, index);
	struct mih_verify_extent *extent = *bucket;

	while (extent && (extent->file != file || extent->index != index))
		extent = extent->hash_next;
	if (extent) {
		if (!extent->nloads)
			ages_leave(shard, extent);
		return extent;
	}
	extent = extent_new(engine, file, index);
	if (extent) {
		extent->hash_next = *bucket;
		*bucket = extent;
	}
	return extent;
}

/* Out of the table, and off with its slots. */
static void extent_drop(struct mih_verify_engine *engine,
			struct mih_verify_shard *shard,
			struct mih_verify_extent *extent)
{
	struct mih_verify_extent **at =
	    bucket_of(shard, extent->file, extent->index);

	while (*at != extent)
		at = &(*at)->hash_next;
	*at = extent->hash_next;
	for (unsigned g = 0; g < EXTENT_GROUPS; g++)
		if (extent->good & 1u << g)
			mih_verify_slot_put(extent->slots[g]);
	atomic_fetch_sub_explicit(&engine->cache_bytes, sizeof(*extent),
				  memory_order_relaxed);
	free(extent);
}

void mih_verify_extent_settle(struct mih_verify_engine *engine,
			      struct mih_verify_shard *shard,
			      struct mih_verify_extent *extent)
{
	if (extent->nloads)
		return;
	if (!extent->good) {
		extent_drop(engine, shard, extent);
		return;
	}
	ages_enter(shard, extent);
}

static struct mih_verify_shard *oldest_shard(struct mih_verify_engine *engine,
					     enum mih_verify_worth worth)
{
	struct mih_verify_shard *found = NULL;
	uint64_t oldest = UINT64_MAX;

	for (size_t i = 0; i < NSHARDS; i++) {
		struct mih_verify_shard *shard = &engine->shards[i];
		uint64_t ns = atomic_load_explicit(
		    &shard->ages[worth].oldest_ns, memory_order_relaxed);

		if (ns < oldest) {
			oldest = ns;
			found = shard;
		}
	}
	return found;
}

/* Drop the oldest extent of its kind. Return: was there one? */
static bool evict_one(struct mih_verify_engine *engine,
		      enum mih_verify_worth worth)
{
	struct mih_verify_shard *shard = oldest_shard(engine, worth);
	struct mih_verify_extent *extent;

	if (!shard)
		return false;
	pthread_mutex_lock(&shard->lock);
	extent = TAILQ_FIRST(&shard->ages[worth].lru);
	if (extent) {
		ages_leave(shard, extent);
		extent_drop(engine, shard, extent);
	}
	pthread_mutex_unlock(&shard->lock);
	return true;
}

static uint64_t bytes_held(const struct mih_verify_engine *engine)
{
	return atomic_load_explicit(&engine->cache_bytes, memory_order_relaxed);
}

/*
 * What is loading or being answered cannot be dropped, so with a tiny budget
 * the bytes in flight stand above it: that is bounded by the requests there
 * are, and nobody ever waits for room.
 *
 * What a reader has left behind is in the page cache of the kernel by now.
 * Its memory is used again long before the budget is full, because fresh
 * memory costs more than hashing does: on a virtual machine a pread into it
 * took 0.60 core-seconds per GiB instead of 0.10 (0.45 populated at once, 1.1
 * with huge pages).
 */
void mih_verify_cache_trim(struct mih_verify_engine *engine)
{
	size_t memory =
	    atomic_load_explicit(&engine->memory, memory_order_relaxed);
	uint64_t soft = MIH_MIN(memory, READ_MAX);

	if (bytes_held(engine) <= soft)
		return;
	/* Another thread is at it: two would drop twice as much. */
	if (pthread_mutex_trylock(&engine->evict_lock))
		return;
	while (bytes_held(engine) > soft &&
	       evict_one(engine, MIH_VERIFY_PASSED))
		;
	while (bytes_held(engine) > memory &&
	       evict_one(engine, MIH_VERIFY_KEPT))
		mih_verify_count(engine, MIH_VERIFY_EVICTED, 1);
	pthread_mutex_unlock(&engine->evict_lock);
}

/*
 * Where nobody above caches, files larger than the cache are read through
 * again and again. If each extent took the place of the oldest, none would
 * still be there when its turn comes: so the first ones stay, as long as
 * somebody uses them, and the rest passes through memory that is still in the
 * processor's caches, and pinned. On 16 cores and a GPU that alone made a first
 * pass of 16 readers a quarter faster.
 */
bool mih_verify_cache_keeps(const struct mih_verify_engine *engine)
{
	size_t memory =
	    atomic_load_explicit(&engine->memory, memory_order_relaxed);
	size_t flight = MIH_MIN(memory / 2, FLIGHT_MAX);
	uint64_t oldest = UINT64_MAX;

	if (bytes_held(engine) + flight <= memory)
		return true;
	for (size_t i = 0; i < NSHARDS; i++)
		oldest = MIH_MIN(
		    oldest,
		    atomic_load_explicit(
			&engine->shards[i].ages[MIH_VERIFY_KEPT].oldest_ns,
			memory_order_relaxed));
	return oldest < mih_clock_ns() - STALE_NS;
}

mih_err mih_verify_cache_init(struct mih_verify_engine *engine)
{
	engine->shards = calloc(NSHARDS, sizeof(*engine->shards));
	if (!engine->shards)
		return -ENOMEM;
	for (size_t i = 0; i < NSHARDS; i++) {
		pthread_mutex_init(&engine->shards[i].lock, NULL);
		for (size_t w = 0; w < MIH_VERIFY_WORTHS; w++) {
			TAILQ_INIT(&engine->shards[i].ages[w].lru);
			publish_oldest(&engine->shards[i].ages[w]);
		}
	}
	pthread_mutex_init(&engine->evict_lock, NULL);
	pthread_mutex_init(&engine->spare.lock, NULL);
	return 0;
}

void mih_verify_cache_fini(struct mih_verify_engine *engine)
{
	if (!engine->shards)
		return;
	while (evict_one(engine, MIH_VERIFY_PASSED) ||
	       evict_one(engine, MIH_VERIFY_KEPT))
		;
	mih_verify_spare_drop(engine);
	for (size_t i = 0; i < NSHARDS; i++)
		pthread_mutex_destroy(&engine->shards[i].lock);
	pthread_mutex_destroy(&engine->evict_lock);
	pthread_mutex_destroy(&engine->spare.lock);
	free(engine->shards);
}
