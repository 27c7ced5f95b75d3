/*
 * CUDA through the driver interface. libcuda is opened at run time, so one
 * binary starts on machines without a driver; the kernels are a fat binary
 * inside it, so none needs a toolkit either.
 */
#include "gpu/port_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <ctype.h>
#include <cuda.h>
#include <dlfcn.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
	X(cuDeviceGetUuid)                                                     \
	X(cuDeviceGetPCIBusId)                                                 \
	X(cuDevicePrimaryCtxRetain)                                            \
	X(cuDevicePrimaryCtxRelease)                                           \
	X(cuCtxSetCurrent)                                                     \
	X(cuCtxGetStreamPriorityRange)                                         \
	X(cuModuleLoadData)                                                    \
	X(cuModuleUnload)                                                      \
	X(cuModuleGetFunction)                                                 \
	X(cuMemHostAlloc)                                                      \
	X(cuMemFreeHost)                                                       \
	X(cuMemHostRegister)                                                   \
	X(cuMemHostUnregister)                                                 \
	X(cuMemAlloc)                                                          \
	X(cuMemFree)                                                           \
	X(cuMemcpyHtoDAsync)                                                   \
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

#define VISIBLE "CUDA_VISIBLE_DEVICES" /* of the driver */
#define ALL	SIZE_MAX
static size_t cu_only = ALL; /* the one that the driver may start */

extern const unsigned char mih_gpu_cuda_image[];

struct mih_gpu_port {
	CUdevice device;
	CUcontext context;
	CUmodule module;
	CUfunction functions[MIH_GPU_KERNEL_END];
};

struct mih_gpu_lane {
	struct mih_gpu_port *port;
	CUstream stream;
	CUdeviceptr arena, table, nodes;
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

static bool has_uuid(const char *path, const char *uuid)
{
	FILE *file = fopen(path, "re");
	char line[256];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		char *at = strchr(line, ':');

		if (!at || strncmp(line, "GPU UUID", 8))
			continue;
		at += 1 + strspn(at + 1, " \t");
		at[strcspn(at, "\n")] = '\0';
		found = !strcasecmp(at, uuid);
	}
	fclose(file);
	return found;
}

/* What the kernel's part of the driver shows; who hides cards from CUDA by its
 * variable has them numbered in another way. */
static bool cuda_seems_there(const char *which)
{
	const char *pattern = isdigit((unsigned char)*which)
				  ? "/dev/nvidia[0-9]*"
				  : "/proc/driver/nvidia/gpus/*/information";
	bool found = false;
	glob_t matches;

	if (getenv(VISIBLE) || glob(pattern, 0, NULL, &matches))
		return false;
	if (isdigit((unsigned char)*which))
		found = strtoul(which, NULL, 10) < matches.gl_pathc;
	else
		for (size_t i = 0; i < matches.gl_pathc && !found; i++)
			found = has_uuid(matches.gl_pathv[i], which);
	globfree(&matches);
	return found;
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

/* The driver takes 0.2 s to start a card, and starts all that it may. */
static void cuda_only(size_t ordinal)
{
	char number[24];

	if (cu.loaded || getenv(VISIBLE))
		return;
	snprintf(number, sizeof(number), "%zu", ordinal);
	if (!setenv(VISIBLE, number, 0))
		cu_only = ordinal;
}

/* Devices keep their numbers, whatever the driver was let to start. */
static size_t cuda_count(void)
{
	pthread_once(&cu_once, cu_load);
	if (!cu.loaded || cu.ndevices == 0)
		return 0;
	return cu_only == ALL ? (size_t)cu.ndevices : cu_only + 1;
}

static CUresult get_device(size_t ordinal, CUdevice *device)
{
	if (cu_only != ALL && ordinal != cu_only)
		return CUDA_ERROR_INVALID_DEVICE;
	return cu.p_cuDeviceGet(device, cu_only == ALL ? (int)ordinal : 0);
}

/* "GPU-" and the bytes in the groups that nvidia-smi prints. */
static void format_uuid(const CUuuid *uuid, char out[48])
{
	int at = snprintf(out, 48, "GPU-");

	for (int i = 0; i < 16; i++)
		at += snprintf(out + at, 48 - (size_t)at, "%s%02x",
			       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			       (unsigned char)uuid->bytes[i]);
}

static void cuda_identify(size_t ordinal, struct mih_gpu_identity *id)
{
	size_t memory = 0;
	int driver = 0;
	CUdevice device;
	CUuuid uuid;

	*id = (struct mih_gpu_identity){ .name = "?", .is_gpu = true };
	if (get_device(ordinal, &device) != CUDA_SUCCESS)
		return;
	cu.p_cuDeviceGetName(id->name, sizeof(id->name), device);
	cu.p_cuDeviceTotalMem(&memory, device);
	id->memory = memory;
	if (cu.p_cuDeviceGetUuid(&uuid, device) == CUDA_SUCCESS)
		format_uuid(&uuid, id->uuid);
	cu.p_cuDeviceGetPCIBusId(id->pci, sizeof(id->pci), device);
	for (char *at = id->pci; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	cu.p_cuDriverGetVersion(&driver);
	snprintf(id->driver, sizeof(id->driver), "CUDA %d.%d", driver / 1000,
		 driver % 1000 / 10);
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

static mih_err find_functions(struct mih_gpu_port *port)
{
	mih_err err = 0;

	for (int k = 0; k < MIH_GPU_KERNEL_END && !err; k++)
		err = CHECK(cuModuleGetFunction, &port->functions[k],
			    port->module, mih_gpu_kernels[k].name);
	return err;
}

static mih_err cuda_open(size_t ordinal, struct mih_gpu_port **port_out)
{
	struct mih_gpu_port *port = calloc(1, sizeof(*port));
	mih_err err;

	if (!port)
		return mih_err_fail(MIH_EBACKEND, "cuda: out of memory");
	err = cu_check(get_device(ordinal, &port->device), "cuDeviceGet");
	if (!err)
		err = CHECK(cuDevicePrimaryCtxRetain, &port->context,
			    port->device);
	if (!err)
		err = CHECK(cuCtxSetCurrent, port->context);
	if (!err)
		err =
		    CHECK(cuModuleLoadData, &port->module, mih_gpu_cuda_image);
	if (!err)
		err = find_functions(port);
	if (err) {
		cuda_close(port);
		return err;
	}
	*port_out = port;
	return 0;
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

static mih_err cuda_host_register(struct mih_gpu_port *port, void *buf,
				  size_t len)
{
	mih_err err = CHECK(cuCtxSetCurrent, port->context);

	return err ? err
		   : CHECK(cuMemHostRegister, buf, len,
			   CU_MEMHOSTREGISTER_PORTABLE);
}

static void cuda_host_unregister(struct mih_gpu_port *port, void *buf)
{
	cu.p_cuCtxSetCurrent(port->context);
	cu.p_cuMemHostUnregister(buf);
}

static void cuda_lane_close(struct mih_gpu_lane *lane)
{
	cu.p_cuCtxSetCurrent(lane->port->context);
	if (lane->stream)
		cu.p_cuStreamDestroy(lane->stream);
	cu.p_cuMemFree(lane->arena);
	cu.p_cuMemFree(lane->table);
	cu.p_cuMemFree(lane->nodes);
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
		err =
		    CHECK(cuMemAlloc, &lane->table, ngroups * MIH_GPU_ROW_MAX);
	if (!err)
		err = CHECK(cuMemAlloc, &lane->nodes,
			    ngroups * MIH_GPU_NODES_LEN);
	return err;
}

static mih_err cuda_lane_open(struct mih_gpu_port *port, size_t ngroups,
			      struct mih_gpu_lane **lane_out)
{
	struct mih_gpu_lane *lane = calloc(1, sizeof(*lane));
	mih_err err;

	if (!lane)
		return mih_err_fail(MIH_EBACKEND, "cuda: out of memory");
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

/* Digests go straight to the host's memory, which has the same address here:
 * a copy would be one more step to wait for. (Bytes are copied: read in place,
 * 1 MiB took 220 us instead of 165 on an H100.) */
static mih_err run_kernel(struct mih_gpu_lane *lane,
			  const struct mih_gpu_launch *launch)
{
	struct mih_gpu_grid grid = mih_gpu_grid(launch->kernel, launch->n);
	CUdeviceptr out = (CUdeviceptr)launch->out;
	unsigned n = (unsigned)launch->n;
	void *args[] = { &lane->arena, &lane->table, &n, &lane->nodes, &out };

	return CHECK(cuLaunchKernel, lane->port->functions[launch->kernel],
		     (unsigned)grid.groups, 1, 1, (unsigned)grid.items, 1, 1, 0,
		     lane->stream, args, NULL);
}

static mih_err cuda_prepare(struct mih_gpu_lane *lane,
			    const struct mih_gpu_launch *launch)
{
	mih_err err = CHECK(cuCtxSetCurrent, lane->port->context);

	if (err)
		return err;
	return CHECK(cuMemcpyHtoDAsync, lane->table, launch->table,
		     launch->n * mih_gpu_kernels[launch->kernel].row_len,
		     lane->stream);
}

static mih_err cuda_launch(struct mih_gpu_lane *lane,
			   const struct mih_gpu_launch *launch)
{
	mih_err err = CHECK(cuCtxSetCurrent, lane->port->context);

	return err ? err : run_kernel(lane, launch);
}

static mih_err cuda_poll(struct mih_gpu_lane *lane)
{
	CUresult rc = cu.p_cuStreamQuery(lane->stream);

	return rc == CUDA_ERROR_NOT_READY ? -EAGAIN : cu_check(rc, "batch");
}

const struct mih_gpu_port_ops mih_gpu_cuda_port = {
	.kind = "cuda",
	.seems_there = cuda_seems_there,
	.only = cuda_only,
	.count = cuda_count,
	.identify = cuda_identify,
	.open = cuda_open,
	.close = cuda_close,
	.host_alloc = cuda_host_alloc,
	.host_free = cuda_host_free,
	.host_register = cuda_host_register,
	.host_unregister = cuda_host_unregister,
	.lane_open = cuda_lane_open,
	.lane_close = cuda_lane_close,
	.prepare = cuda_prepare,
	.upload = cuda_upload,
	.launch = cuda_launch,
	.poll = cuda_poll,
};
