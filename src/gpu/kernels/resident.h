/*
 * gpu/kernels/resident.h - how many registers a work item may take
 *
 * Layer: src/gpu.  For kernels, and for who has the driver compile them.
 *
 * So many work-groups of 256 are to find room in the 65536 registers of an
 * NVIDIA multiprocessor, as measured: with fewer there are too few chains to
 * keep it busy, with more their words do not fit.
 */
#ifndef MIH_GPU_KERNELS_RESIDENT_H
#define MIH_GPU_KERNELS_RESIDENT_H

#define MIH_RESIDENT_SHA256   3
#define MIH_RESIDENT_SHA512   2
#define MIH_RESIDENT_SHA3     2
#define MIH_RESIDENT_LTHASH16 3
#define MIH_RESIDENT_SEGMENTS 1
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define MIH_RESIDENT_BLAKE3 4 /* there is room for 1024 threads */
#else
#define MIH_RESIDENT_BLAKE3 5
#endif

#endif
