/* What all ports share: the kernels, and waiting for them. */
#include "gpu/kernels/resident.h"
#include "gpu/port_internal.h"
#include "util/host/clock.h"

#define ANSWER_MS                                                              \
	10000 /* a 32 MiB launch takes 1 ms; a hung device, for ever */

#define FIRST_FACTOR 6 /* PoCL compiles in the launch */

/* While so long nothing is slept: a batch that comes alone is answered sooner
 * by what a sleep and a wake-up take, 50 us and more on a virtual machine. */
#define AWAKE_NS 1000000

/* Launches of fewer work items leave multiprocessors idle, unless they are
 * spread thinly: a leaf is one chain of steps, which two chains that share a
 * scheduler both wait for. Many work items keep theirs busy by being many, and
 * then wider work-groups waste less of them on the upper levels of trees. */
#define SPREAD 32768

/* An item for each leaf; a work-group holds whole groups. */
#define BLOCKS_4K                                                              \
	.items = 16, .narrow = 64, .wide = 128,                                \
	.row_len = sizeof(struct mih_gpu_group)
#define CHUNKS_1K                                                              \
	.items = 64, .narrow = 64, .wide = 256,                                \
	.row_len = sizeof(struct mih_gpu_group)

const struct mih_gpu_kernel_info mih_gpu_kernels[MIH_GPU_KERNEL_END] = {
	[MIH_GPU_KERNEL_MTH4K_SHA256] = { .name = "mih_mth4k_sha256",
					  .resident = MIH_RESIDENT_SHA256,
					  BLOCKS_4K },
	[MIH_GPU_KERNEL_MTH4K_SHA512] = { .name = "mih_mth4k_sha512",
					  .resident = MIH_RESIDENT_SHA512,
					  BLOCKS_4K },
	[MIH_GPU_KERNEL_MTH4K_SHA3_256] = { .name = "mih_mth4k_sha3_256",
					    .resident = MIH_RESIDENT_SHA3,
					    BLOCKS_4K },
	[MIH_GPU_KERNEL_BLAKE3] = { .name = "mih_blake3",
				    .resident = MIH_RESIDENT_BLAKE3,
				    CHUNKS_1K },
	[MIH_GPU_KERNEL_LTHASH16] = { .name = "mih_lthash16",
				      .resident = MIH_RESIDENT_LTHASH16,
				      .items = 16,
				      .narrow = 256,
				      .wide = 256,
				      .row_len =
					  sizeof(struct mih_gpu_element) },
	/* A chain is one item's work, so few of them share a multiprocessor. */
	[MIH_GPU_KERNEL_SHA256_SEGMENTS] = { .name = "mih_sha256_segments",
					     .resident = MIH_RESIDENT_SEGMENTS,
					     .items = 1,
					     .narrow = 32,
					     .wide = 32,
					     .row_len = sizeof(
						 struct mih_gpu_segment) },
};

struct mih_gpu_grid mih_gpu_grid(enum mih_gpu_kernel kernel, size_t n)
{
	const struct mih_gpu_kernel_info *info = &mih_gpu_kernels[kernel];
	size_t items = n * info->items;
	size_t width = items < SPREAD ? info->narrow : info->wide;

	return (struct mih_gpu_grid){ .groups = (items + width - 1) / width,
				      .items = width };
}

static unsigned answer_ms(const struct mih_gpu_port_ops *ops)
{
	return ops->answer_ms ? ops->answer_ms : ANSWER_MS;
}

unsigned mih_gpu_port_patience_ms(const struct mih_gpu_port_ops *ops)
{
	return answer_ms(ops) * FIRST_FACTOR;
}

/* Asked, not waited for: a device that stops answering must not take the
 * thread with it. 20 us between questions cost little beside a 400 us batch. */
mih_err mih_gpu_port_wait(const struct mih_gpu_port_ops *ops,
			  struct mih_gpu_lane *lane, unsigned how)
{
	unsigned ms = how & MIH_GPU_WAIT_FIRST ? mih_gpu_port_patience_ms(ops)
					       : answer_ms(ops);
	uint64_t awake = how & MIH_GPU_WAIT_AWAKE ? AWAKE_NS : 0;
	uint64_t from = mih_clock_ns();
	const struct timespec pause = { .tv_nsec = 20000 };
	mih_err err;

	while ((err = ops->poll(lane)) == -EAGAIN) {
		uint64_t took = mih_clock_ns() - from;

		if (took > (uint64_t)ms * 1000000)
			return mih_err_fail(MIH_EBACKEND,
					    "%s: no answer for %u ms",
					    ops->kind, ms);
		/* Not even a yield: where all cores are busy it takes ms. */
		if (took >= awake)
			nanosleep(&pause, NULL);
	}
	return err;
}
