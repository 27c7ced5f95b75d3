/*
 * gpu/batch_internal.h - what can be said of every batch
 *
 * Layer: src/gpu.  Threads: no state.
 */
#ifndef MIH_GPU_BATCH_INTERNAL_H
#define MIH_GPU_BATCH_INTERNAL_H

#include "gpu/device.h"

/** mih_gpu_batch_nbytes() - bytes to hash. */
size_t mih_gpu_batch_nbytes(const struct mih_gpu_batch *batch);

/** mih_gpu_batch_out_len() - bytes that go to batch->digests. */
size_t mih_gpu_batch_out_len(const struct mih_gpu_batch *batch);

/** mih_gpu_batch_on_cpu() - fill batch->digests on this thread. */
void mih_gpu_batch_on_cpu(const struct mih_gpu_batch *batch);

#endif
