/*
 * gpu/footprint.h - what a device's driver touches besides memory
 *
 * Layer: src/gpu.  Threads: immutable.
 *
 * For whoever confines the process: a driver reads its libraries, talks to its
 * nodes, and may compile kernels into a folder of its own.
 */
#ifndef MIH_GPU_FOOTPRINT_H
#define MIH_GPU_FOOTPRINT_H

#include <stdbool.h>

/** A place that drivers write to; a row without a path ends the table. */
struct mih_gpu_place {
	const char *env;  /* variable that holds the folder, or NULL */
	const char *path; /* pattern of glob(7); after the variable, if any */
	bool makes;	  /* new files appear below it */
};

extern const struct mih_gpu_place mih_gpu_footprint[];

/**
 * mih_gpu_is_cpu() - would mih_gpu_open() give the CPU for @spec?
 *
 * Then nothing but memory is touched. Asks no driver: for "auto" it looks
 * whether there are nodes of any GPU.
 */
bool mih_gpu_is_cpu(const char *spec);

#endif
