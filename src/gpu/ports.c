/* A file of its own, so that a program of the tests can bring another list. */
#include "gpu/port_internal.h"

const struct mih_gpu_port_ops *const mih_gpu_ports[] = {
#if HAVE_CUDA
	&mih_gpu_cuda_port,
#endif
#if HAVE_OPENCL
	&mih_gpu_opencl_port,
#endif
	NULL,
};
