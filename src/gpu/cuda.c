/*
 * CUDA through the driver interface. libcuda is opened at run time, so one
 * binary starts on machines without a driver; the kernels are a fat binary
 * inside it, so none needs a toolkit either.
 */
#include "gpu/device_internal.h"
#include "gpu/offload_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <cuda.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

/* The names are spelled through the macros of cuda.h, which append the version
 * that belongs to the declared signature. */
#define CUDA_CALLS(X)                                                          \
	X(cuInit)                                                              \
	X(cuDriverGetVersion)                                                  \
	X(cuGetErrorString)                                                    \
	X(cuDeviceGetCount)                                                    \
	X(cuDeviceGet)                                                         \
	X(cuDeviceGetName)                                                     \
	X(cuDeviceTotalMem)                                                    \
	X(cuDevicePrimaryCtxRetain)                                            \
	X(cuDevicePrimaryCtxRelease)                                           \
	X(cuCtxSetCurrent)                                                     \
	X(cuCtxGetStreamPriorityRange)                                         \
	X(cuModuleLoadData)                                                    \
	X(cuModuleUnload)                                                      \
	X(cuModuleGetFunction)                                                 \
	X(cuMemHostAlloc)                                                      \
	X(cuMemFreeHost)                                                       \
	X(cuMemAlloc)                                                          \
	X(cuMemFree)                                                           \
	X(cuMemcpyHtoDAsync)                                                   \
	X(cuMemcpyDtoHAsync)                                                   \
	X(cuStreamCreateWithPriority)                                          \
	X(cuStreamDestroy)                                                     \
	X(cuStreamQuery)                                                       \
	X(cuLaunchKernel)

#define AS_TEXT_(name) #name
#define AS_TEXT(name)  AS_TEXT_(name)
#define DECLARE(name)  __typeof__(name) *p_##name;
#define RESOLVE(name)                                                          \
	cu.p_##name = (__typeof__(cu.p_##name))dlsym(lib, AS_TEXT(name));      \
	if (!cu.p_##name)                                                      \
		return;

static struct {
	bool loaded;
	int ndevices;
	CUDA_CALLS(DECLARE)
} cu;

static pthread_once_t cu_once = PTHREAD_ONCE_INIT;

extern const unsigned char mih_gpu_cuda_image[];

struct mih_gpu_port {
	CUdevice device;
	CUcontext context;
	CUmodule module;
	char text[160];
};

struct mih_gpu_lane {
	struct mih_gpu_port *port;
	CUstream stream;
	CUdeviceptr arena, groups, nodes, digests;
};

static const struct kernel {
	enum mih_hash_alg alg;
	const char *name;
	unsigned leaves; /* threads that one group takes */
} kernels[] = {
	{ MIH_HASH_MTH4K_SHA256, "mih_mth4k_sha256", 16 },
	{ MIH_HASH_MTH4K_SHA512, "mih_mth4k_sha512", 16 },
	{ MIH_HASH_MTH4K_SHA3_256, "mih_mth4k_sha3_256", 16 },
	{ MIH_HASH_BLAKE3, "mih_blake3", 64 },
};

static void cu_load(void)
{
	void *lib = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return;
	CUDA_CALLS(RESOLVE)
	cu.loaded = cu.p_cuInit(0) == CUDA_SUCCESS &&
		    cu.p_cuDeviceGetCount(&cu.ndevices) == CUDA_SUCCESS;
}

static mih_err cu_check(CUresult rc, const char *what)
{
	const char *text = "unknown error";

	if (rc == CUDA_SUCCESS)
		return 0;
	cu.p_cuGetErrorString(rc, &text);
	return mih_err_fail(MIH_EBACKEND, "cuda: %s: %s", what, text);
}

#define CHECK(call, ...) cu_check(cu.p_##call(__VA_ARGS__), #call)

static size_t cuda_count(void)
{
	pthread_once(&cu_once, cu_load);
	return cu.loaded ? (size_t)cu.ndevices : 0;
}

static void describe(struct mih_gpu_port *port, size_t ordinal)
{
	char name[80] = "?";
	size_t memory = 0;
	int driver = 0;

	cu.p_cuDeviceGetName(name, sizeof(name), port->device);
	cu.p_cuDeviceTotalMem(&memory, port->device);
	cu.p_cuDriverGetVersion(&driver);
	snprintf(port->text, sizeof(port->text),
		 "cuda:%zu %s, %zu MiB, driver interface %d.%d", ordinal, name,
		 memory >> 20, driver / 1000, driver % 1000 / 10);
}

static void cuda_close(struct mih_gpu_port *port)
{
	if (port->context) {
		cu.p_cuCtxSetCurrent(port->context);
		if (port->module)
			cu.p_cuModuleUnload(port->module);
		cu.p_cuCtxSetCurrent(NULL);
		cu.p_cuDevicePrimaryCtxRelease(port->device);
	}
	free(port);
}

static mih_err cuda_open(size_t ordinal, struct mih_gpu_port **port_out)
{
	struct mih_gpu_port *port = calloc(1, sizeof(*port));
	mih_err err;

	if (!port)
		return mih_err_fail_errno(-ENOMEM, "cuda:%zu", ordinal);
	err = CHECK(cuDeviceGet, &port->device, (int)ordinal);
	if (!err)
		err = CHECK(cuDevicePrimaryCtxRetain, &port->context,
			    port->device);
	if (!err)
		err = CHECK(cuCtxSetCurrent, port->context);
	if (!err)
		err =
		    CHECK(cuModuleLoadData, &port->module, mih_gpu_cuda_image);
	if (err) {
		cuda_close(port);
		return err;
	}
	describe(port, ordinal);
	*port_out = port;
	return 0;
}

static const char *cuda_describe(const struct mih_gpu_port *port)
{
	return port->text;
}

static void *cuda_host_alloc(struct mih_gpu_port *port, size_t len)
{
	void *buf = NULL;

	/* Portable: pinned for every context, so several GPUs can share it. */
	if (CHECK(cuCtxSetCurrent, port->context) ||
	    CHECK(cuMemHostAlloc, &buf, len, CU_MEMHOSTALLOC_PORTABLE))
		return NULL;
	return buf;
}

static void cuda_host_free(struct mih_gpu_port *port, void *buf)
{
	cu.p_cuCtxSetCurrent(port->context);
	cu.p_cuMemFreeHost(buf);
}

static void cuda_lane_close(struct mih_gpu_lane *lane)
{
	cu.p_cuCtxSetCurrent(lane->port->context);
	if (lane->stream)
		cu.p_cuStreamDestroy(lane->stream);
	cu.p_cuMemFree(lane->arena);
	cu.p_cuMemFree(lane->groups);
	cu.p_cuMemFree(lane->nodes);
	cu.p_cuMemFree(lane->digests);
	free(lane);
}

static mih_err lane_fill(struct mih_gpu_lane *lane, size_t ngroups)
{
	int least = 0, greatest = 0;
	mih_err err = CHECK(cuCtxSetCurrent, lane->port->context);

	/* The model's own kernels go first: ours take what they leave. */
	if (!err)
		err = CHECK(cuCtxGetStreamPriorityRange, &least, &greatest);
	if (!err)
		err = CHECK(cuStreamCreateWithPriority, &lane->stream,
			    CU_STREAM_NON_BLOCKING, least);
	if (!err)
		err = CHECK(cuMemAlloc, &lane->arena, ngroups * MIH_HASH_GROUP);
	if (!err)
		err = CHECK(cuMemAlloc, &lane->groups,
			    ngroups * sizeof(struct mih_gpu_group));
	if (!err)
		err = CHECK(cuMemAlloc, &lane->nodes,
			    ngroups * MIH_GPU_NODES_LEN);
	if (!err)
		err = CHECK(cuMemAlloc, &lane->digests,
			    ngroups * MIH_HASH_LEN_MAX);
	return err;
}

static mih_err cuda_lane_open(struct mih_gpu_port *port, size_t ngroups,
			      struct mih_gpu_lane **lane_out)
{
	struct mih_gpu_lane *lane = calloc(1, sizeof(*lane));
	mih_err err;

	if (!lane)
		return mih_err_fail_errno(-ENOMEM, "cuda");
	lane->port = port;
	err = lane_fill(lane, ngroups);
	if (err) {
		cuda_lane_close(lane);
		return err;
	}
	*lane_out = lane;
	return 0;
}

static mih_err cuda_upload(struct mih_gpu_lane *lane, size_t at,
			   const void *data, size_t len)
{
	mih_err err = CHECK(cuCtxSetCurrent, lane->port->context);

	if (err)
		return err;
	return CHECK(cuMemcpyHtoDAsync, lane->arena + at, data, len,
		     lane->stream);
}

static mih_err launch(struct mih_gpu_lane *lane, const struct kernel *kernel,
		      size_t n)
{
	unsigned ngroups = (unsigned)n;
	unsigned per_block = MIH_GPU_WORK / kernel->leaves;
	void *args[] = { &lane->arena, &lane->groups, &ngroups, &lane->nodes,
			 &lane->digests };
	CUfunction function;
	mih_err err = CHECK(cuModuleGetFunction, &function, lane->port->module,
			    kernel->name);

	if (err)
		return err;
	return CHECK(cuLaunchKernel, function,
		     (ngroups + per_block - 1) / per_block, 1, 1, MIH_GPU_WORK,
		     1, 1, 0, lane->stream, args, NULL);
}

static mih_err cuda_hash(struct mih_gpu_lane *lane, enum mih_hash_alg alg,
			 const struct mih_gpu_group *groups, size_t n,
			 uint8_t *digests)
{
	const struct kernel *kernel = NULL;
	mih_err err;

	for (size_t i = 0; i < MIH_ARRAY_LEN(kernels); i++)
		if (kernels[i].alg == alg)
			kernel = &kernels[i];
	if (!kernel)
		return mih_err_fail(MIH_EBACKEND, "cuda: no such kernel");
	err = CHECK(cuMemcpyHtoDAsync, lane->groups, groups,
		    n * sizeof(*groups), lane->stream);
	if (!err)
		err = launch(lane, kernel, n);
	if (!err)
		err = CHECK(cuMemcpyDtoHAsync, digests, lane->digests,
			    n * mih_hash_info(alg)->len, lane->stream);
	return err;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Asked, not waited for: a device that stops answering must not take the
 * thread with it. 20 us between questions cost little beside a 400 us batch. */
static mih_err cuda_finish(struct mih_gpu_lane *lane, unsigned timeout_ms)
{
	uint64_t until = now_ns() + (uint64_t)timeout_ms * 1000000;
	const struct timespec pause = { .tv_nsec = 20000 };
	CUresult rc;

	while ((rc = cu.p_cuStreamQuery(lane->stream)) ==
	       CUDA_ERROR_NOT_READY) {
		if (now_ns() > until)
			return mih_err_fail(MIH_EBACKEND,
					    "cuda: no answer for %u ms",
					    timeout_ms);
		nanosleep(&pause, NULL);
	}
	return cu_check(rc, "batch");
}

const struct mih_gpu_port_ops mih_gpu_cuda_port = {
	.kind = "cuda",
	.count = cuda_count,
	.open = cuda_open,
	.close = cuda_close,
	.describe = cuda_describe,
	.host_alloc = cuda_host_alloc,
	.host_free = cuda_host_free,
	.lane_open = cuda_lane_open,
	.lane_close = cuda_lane_close,
	.upload = cuda_upload,
	.hash = cuda_hash,
	.finish = cuda_finish,
};

static mih_err device_open(size_t ordinal, struct mih_gpu_dev **dev_out)
{
	return mih_gpu_offload_new(&mih_gpu_cuda_ops, &mih_gpu_cuda_port,
				   ordinal, dev_out);
}

const struct mih_gpu_ops mih_gpu_cuda_ops = {
	.api = MIH_GPU_API,
	.kind = "cuda",
	/* Named only, until it has been measured on the hardware. */
	.automatic = false,
	.count = cuda_count,
	.open = device_open,
	.close = mih_gpu_offload_close,
	.submit = mih_gpu_offload_submit,
	.staging_alloc = mih_gpu_offload_staging_alloc,
	.staging_free = mih_gpu_offload_staging_free,
	.describe = mih_gpu_offload_describe,
};
