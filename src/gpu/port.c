/* What all ports share: the kernels, and waiting for them. */
#include "gpu/port_internal.h"

#define ANSWER_MS                                                              \
	10000 /* a 32 MiB launch takes 1 ms; a hung device, for ever */

#define FIRST_FACTOR 6 /* PoCL compiles in the launch */

/* A work-group of 256 items holds whole groups: an item for each leaf. */
#define BLOCKS_4K                                                              \
	.items = 256, .rows = 16, .row_len = sizeof(struct mih_gpu_group)
#define CHUNKS_1K                                                              \
	.items = 256, .rows = 4, .row_len = sizeof(struct mih_gpu_group)

const struct mih_gpu_kernel_info mih_gpu_kernels[MIH_GPU_KERNEL_END] = {
	[MIH_GPU_KERNEL_MTH4K_SHA256] = { .name = "mih_mth4k_sha256",
					  BLOCKS_4K },
	[MIH_GPU_KERNEL_MTH4K_SHA512] = { .name = "mih_mth4k_sha512",
					  BLOCKS_4K },
	[MIH_GPU_KERNEL_MTH4K_SHA3_256] = { .name = "mih_mth4k_sha3_256",
					    BLOCKS_4K },
	[MIH_GPU_KERNEL_BLAKE3] = { .name = "mih_blake3", CHUNKS_1K },
	[MIH_GPU_KERNEL_LTHASH16] = { .name = "mih_lthash16",
				      .items = 256,
				      .rows = 16,
				      .row_len =
					  sizeof(struct mih_gpu_element) },
	/* A chain is one item's work, so few of them share a multiprocessor. */
	[MIH_GPU_KERNEL_SHA256_SEGMENTS] = { .name = "mih_sha256_segments",
					     .items = 32,
					     .rows = 32,
					     .row_len = sizeof(
						 struct mih_gpu_segment) },
};

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
			  struct mih_gpu_lane *lane, bool is_first)
{
	unsigned ms = is_first ? mih_gpu_port_patience_ms(ops) : answer_ms(ops);
	uint64_t until = mih_gpu_now_ns() + (uint64_t)ms * 1000000;
	const struct timespec pause = { .tv_nsec = 20000 };
	mih_err err;

	while ((err = ops->poll(lane)) == -EAGAIN) {
		if (mih_gpu_now_ns() > until)
			return mih_err_fail(MIH_EBACKEND,
					    "%s: no answer for %u ms",
					    ops->kind, ms);
		nanosleep(&pause, NULL);
	}
	return err;
}
