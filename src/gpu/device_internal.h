/*
 * gpu/device_internal.h - the rows of registry.c, one per kind
 *
 * Layer: src/gpu.
 */
#ifndef MIH_GPU_DEVICE_INTERNAL_H
#define MIH_GPU_DEVICE_INTERNAL_H

#include "gpu/device.h"

/* cpu.c: hashes on the submitting thread, while the bytes are in its cache. */
extern const struct mih_gpu_ops mih_gpu_cpu_ops;

/* cuda.c and opencl.c: each is driven by offload.c through its port. */
extern const struct mih_gpu_ops mih_gpu_cuda_ops;
extern const struct mih_gpu_ops mih_gpu_opencl_ops;

#endif
