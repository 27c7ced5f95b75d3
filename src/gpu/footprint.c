#include "gpu/footprint.h"

#include <stddef.h>

/* CUDA names its threads, by /proc, and does not start where it may not. */
const struct mih_gpu_place mih_gpu_footprint[] = {
	{ NULL, "/dev/nvidia*", false }, { NULL, "/dev/nvidia-caps/*", false },
	{ NULL, "/dev/dri/*", false },	 { NULL, "/dev/kfd", false },
	{ NULL, "/dev/zero", false },	 { NULL, "/proc/self/task", false },
	{ NULL, "/dev/shm", true },	 { NULL, "/tmp", true },
	{ NULL, "/var/tmp", true },	 { "TMPDIR", "", true },
	{ "HOME", "/.nv", true },	 { "HOME", "/.cache", true },
	{ "XDG_CACHE_HOME", "", true },	 { "CUDA_CACHE_PATH", "", true },
	{ "POCL_CACHE_DIR", "", true },	 { NULL, NULL, false },
};
