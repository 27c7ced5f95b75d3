/*
 * OpenCL 1.2 and later, for devices of any vendor and for processors (PoCL).
 * libOpenCL is opened at run time; the kernels travel as source text in the
 * binary and are compiled by the device's own driver, one program per hash, on
 * first use.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include "gpu/device_internal.h"
#include "gpu/offload_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <CL/cl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CL_CALLS(X)                                                            \
	X(clGetPlatformIDs)                                                    \
	X(clGetPlatformInfo)                                                   \
	X(clGetDeviceIDs)                                                      \
	X(clGetDeviceInfo)                                                     \
	X(clCreateContext)                                                     \
	X(clReleaseContext)                                                    \
	X(clCreateCommandQueue)                                                \
	X(clReleaseCommandQueue)                                               \
	X(clCreateProgramWithSource)                                           \
	X(clBuildProgram)                                                      \
	X(clGetProgramBuildInfo)                                               \
	X(clReleaseProgram)                                                    \
	X(clCreateKernel)                                                      \
	X(clReleaseKernel)                                                     \
	X(clSetKernelArg)                                                      \
	X(clCreateBuffer)                                                      \
	X(clReleaseMemObject)                                                  \
	X(clEnqueueMapBuffer)                                                  \
	X(clEnqueueUnmapMemObject)                                             \
	X(clEnqueueWriteBuffer)                                                \
	X(clEnqueueReadBuffer)                                                 \
	X(clEnqueueNDRangeKernel)                                              \
	X(clEnqueueMarkerWithWaitList)                                         \
	X(clGetEventInfo)                                                      \
	X(clReleaseEvent)                                                      \
	X(clFinish)                                                            \
	X(clFlush)

#define DECLARE(name) __typeof__(name) *p_##name;
#define RESOLVE(name)                                                          \
	cl.p_##name = (__typeof__(cl.p_##name))dlsym(lib, #name);              \
	if (!cl.p_##name)                                                      \
		return;

#define MAX_DEVICES 32

static struct {
	cl_device_id devices[MAX_DEVICES];
	size_t ndevices;
	CL_CALLS(DECLARE)
} cl;

static pthread_once_t cl_once = PTHREAD_ONCE_INIT;

/* Kernel sources: one text per row of kernels[], made at build time. */
extern const char mih_gpu_opencl_mth4k_sha256[];
extern const char mih_gpu_opencl_mth4k_sha512[];
extern const char mih_gpu_opencl_mth4k_sha3_256[];
extern const char mih_gpu_opencl_blake3[];

static const struct kernel {
	enum mih_hash_alg alg;
	const char *name;
	const char *source;
	unsigned leaves; /* work items that one group takes */
} kernels[] = {
	{ MIH_HASH_MTH4K_SHA256, "mih_mth4k_sha256",
	  mih_gpu_opencl_mth4k_sha256, 16 },
	{ MIH_HASH_MTH4K_SHA512, "mih_mth4k_sha512",
	  mih_gpu_opencl_mth4k_sha512, 16 },
	{ MIH_HASH_MTH4K_SHA3_256, "mih_mth4k_sha3_256",
	  mih_gpu_opencl_mth4k_sha3_256, 16 },
	{ MIH_HASH_BLAKE3, "mih_blake3", mih_gpu_opencl_blake3, 64 },
};

/** Pinned host memory is a mapped buffer: this finds the one from the other. */
struct pinned {
	struct pinned *next;
	cl_mem mem;
	void *host;
};

struct mih_gpu_port {
	cl_device_id device;
	cl_context context;
	cl_command_queue queue; /* for mapping */
	pthread_mutex_t lock;	/* guards programs and pinned */
	cl_program programs[MIH_ARRAY_LEN(kernels)];
	struct pinned *pinned;
	char text[256];
};

struct mih_gpu_lane {
	struct mih_gpu_port *port;
	cl_command_queue queue;
	cl_mem arena, groups, nodes, digests;
	cl_kernel kernels[MIH_ARRAY_LEN(kernels)];
};

static mih_err cl_check(cl_int rc, const char *what)
{
	if (rc == CL_SUCCESS)
		return 0;
	return mih_err_fail(MIH_EBACKEND, "opencl: %s: error %d", what, rc);
}

#define CHECK(call, ...) cl_check(cl.p_##call(__VA_ARGS__), #call)

static void list_devices(cl_platform_id platform)
{
	cl_uint found = 0;
	size_t room = MAX_DEVICES - cl.ndevices;

	if (room &&
	    cl.p_clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, (cl_uint)room,
				&cl.devices[cl.ndevices], &found) == CL_SUCCESS)
		cl.ndevices += MIH_MIN((size_t)found, room);
}

static void cl_load(void)
{
	void *lib = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
	cl_platform_id platforms[8];
	cl_uint n = 0;

	if (!lib)
		return;
	CL_CALLS(RESOLVE)
	if (cl.p_clGetPlatformIDs(8, platforms, &n) != CL_SUCCESS)
		return;
	for (cl_uint i = 0; i < MIH_MIN(n, 8u); i++)
		list_devices(platforms[i]);
}

static size_t opencl_count(void)
{
	pthread_once(&cl_once, cl_load);
	return cl.ndevices;
}

static void describe(struct mih_gpu_port *port, size_t ordinal)
{
	char name[128] = "?", driver[64] = "?";
	cl_ulong memory = 0;

	cl.p_clGetDeviceInfo(port->device, CL_DEVICE_NAME, sizeof(name), name,
			     NULL);
	cl.p_clGetDeviceInfo(port->device, CL_DRIVER_VERSION, sizeof(driver),
			     driver, NULL);
	cl.p_clGetDeviceInfo(port->device, CL_DEVICE_GLOBAL_MEM_SIZE,
			     sizeof(memory), &memory, NULL);
	snprintf(port->text, sizeof(port->text),
		 "opencl:%zu %.100s, %llu MiB, driver %.50s", ordinal, name,
		 (unsigned long long)memory >> 20, driver);
}

static void opencl_close(struct mih_gpu_port *port)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(kernels); i++)
		if (port->programs[i])
			cl.p_clReleaseProgram(port->programs[i]);
	if (port->queue)
		cl.p_clReleaseCommandQueue(port->queue);
	if (port->context)
		cl.p_clReleaseContext(port->context);
	pthread_mutex_destroy(&port->lock);
	free(port);
}

static mih_err opencl_open(size_t ordinal, struct mih_gpu_port **port_out)
{
	struct mih_gpu_port *port = calloc(1, sizeof(*port));
	mih_err err;
	cl_int rc;

	if (!port)
		return mih_err_fail_errno(-ENOMEM, "opencl:%zu", ordinal);
	pthread_mutex_init(&port->lock, NULL);
	port->device = cl.devices[ordinal];
	port->context =
	    cl.p_clCreateContext(NULL, 1, &port->device, NULL, NULL, &rc);
	err = cl_check(rc, "clCreateContext");
	if (!err) {
		port->queue = cl.p_clCreateCommandQueue(port->context,
							port->device, 0, &rc);
		err = cl_check(rc, "clCreateCommandQueue");
	}
	if (err) {
		opencl_close(port);
		return err;
	}
	describe(port, ordinal);
	*port_out = port;
	return 0;
}

static const char *opencl_describe(const struct mih_gpu_port *port)
{
	return port->text;
}

static void *opencl_host_alloc(struct mih_gpu_port *port, size_t len)
{
	struct pinned *pin = calloc(1, sizeof(*pin));
	cl_int rc;

	if (!pin)
		return NULL;
	pin->mem = cl.p_clCreateBuffer(
	    port->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, len, NULL,
	    &rc);
	if (rc == CL_SUCCESS) {
		pin->host = cl.p_clEnqueueMapBuffer(
		    port->queue, pin->mem, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE,
		    0, len, 0, NULL, NULL, &rc);
		if (rc != CL_SUCCESS)
			cl.p_clReleaseMemObject(pin->mem);
	}
	if (rc != CL_SUCCESS) {
		free(pin);
		return NULL;
	}
	pthread_mutex_lock(&port->lock);
	pin->next = port->pinned;
	port->pinned = pin;
	pthread_mutex_unlock(&port->lock);
	return pin->host;
}

static struct pinned *pinned_take(struct mih_gpu_port *port, const void *buf)
{
	struct pinned **at = &port->pinned, *pin;

	pthread_mutex_lock(&port->lock);
	while (*at && (*at)->host != buf)
		at = &(*at)->next;
	pin = *at;
	if (pin)
		*at = pin->next;
	pthread_mutex_unlock(&port->lock);
	return pin;
}

static void opencl_host_free(struct mih_gpu_port *port, void *buf)
{
	struct pinned *pin = pinned_take(port, buf);

	if (!pin)
		return;
	cl.p_clEnqueueUnmapMemObject(port->queue, pin->mem, pin->host, 0, NULL,
				     NULL);
	cl.p_clFinish(port->queue);
	cl.p_clReleaseMemObject(pin->mem);
	free(pin);
}

static void opencl_lane_close(struct mih_gpu_lane *lane)
{
	cl_mem mems[] = { lane->arena, lane->groups, lane->nodes,
			  lane->digests };

	for (size_t i = 0; i < MIH_ARRAY_LEN(kernels); i++)
		if (lane->kernels[i])
			cl.p_clReleaseKernel(lane->kernels[i]);
	for (size_t i = 0; i < MIH_ARRAY_LEN(mems); i++)
		if (mems[i])
			cl.p_clReleaseMemObject(mems[i]);
	if (lane->queue)
		cl.p_clReleaseCommandQueue(lane->queue);
	free(lane);
}

static mih_err device_memory(struct mih_gpu_lane *lane, size_t len,
			     cl_mem *mem_out)
{
	cl_int rc;

	*mem_out = cl.p_clCreateBuffer(lane->port->context, CL_MEM_READ_WRITE,
				       len, NULL, &rc);
	return cl_check(rc, "clCreateBuffer");
}

static mih_err opencl_lane_open(struct mih_gpu_port *port, size_t ngroups,
				struct mih_gpu_lane **lane_out)
{
	struct mih_gpu_lane *lane = calloc(1, sizeof(*lane));
	mih_err err;
	cl_int rc;

	if (!lane)
		return mih_err_fail_errno(-ENOMEM, "opencl");
	lane->port = port;
	lane->queue =
	    cl.p_clCreateCommandQueue(port->context, port->device, 0, &rc);
	err = cl_check(rc, "clCreateCommandQueue");
	if (!err)
		err =
		    device_memory(lane, ngroups * MIH_HASH_GROUP, &lane->arena);
	if (!err)
		err =
		    device_memory(lane, ngroups * sizeof(struct mih_gpu_group),
				  &lane->groups);
	if (!err)
		err = device_memory(lane, ngroups * MIH_GPU_NODES_LEN,
				    &lane->nodes);
	if (!err)
		err = device_memory(lane, ngroups * MIH_HASH_LEN_MAX,
				    &lane->digests);
	if (err) {
		opencl_lane_close(lane);
		return err;
	}
	*lane_out = lane;
	return 0;
}

static mih_err opencl_upload(struct mih_gpu_lane *lane, size_t at,
			     const void *data, size_t len)
{
	return CHECK(clEnqueueWriteBuffer, lane->queue, lane->arena, CL_FALSE,
		     at, len, data, 0, NULL, NULL);
}

/* The lock makes two lanes that need a program at once build it once. */
static mih_err program_get(struct mih_gpu_port *port, size_t k,
			   cl_program *program_out)
{
	pthread_mutex_t *guard mih_autounlock = &port->lock;
	const char *source = kernels[k].source;
	char log[512] = "";
	cl_program program;
	cl_int rc;

	pthread_mutex_lock(guard);
	*program_out = port->programs[k];
	if (*program_out)
		return 0;
	program = cl.p_clCreateProgramWithSource(port->context, 1, &source,
						 NULL, &rc);
	if (rc != CL_SUCCESS)
		return cl_check(rc, "clCreateProgramWithSource");
	rc = cl.p_clBuildProgram(program, 1, &port->device, "-cl-std=CL1.2",
				 NULL, NULL);
	if (rc != CL_SUCCESS) {
		cl.p_clGetProgramBuildInfo(program, port->device,
					   CL_PROGRAM_BUILD_LOG, sizeof(log),
					   log, NULL);
		cl.p_clReleaseProgram(program);
		return mih_err_fail(MIH_EBACKEND, "opencl: %s: %.400s",
				    kernels[k].name, log);
	}
	*program_out = port->programs[k] = program;
	return 0;
}

static mih_err kernel_get(struct mih_gpu_lane *lane, size_t k)
{
	cl_program program;
	mih_err err;
	cl_int rc;

	if (lane->kernels[k])
		return 0;
	err = program_get(lane->port, k, &program);
	if (err)
		return err;
	lane->kernels[k] = cl.p_clCreateKernel(program, kernels[k].name, &rc);
	return cl_check(rc, "clCreateKernel");
}

static mih_err launch(struct mih_gpu_lane *lane, size_t k, size_t n)
{
	size_t per_group = MIH_GPU_WORK / kernels[k].leaves;
	size_t local = MIH_GPU_WORK;
	size_t global = (n + per_group - 1) / per_group * local;
	cl_uint ngroups = (cl_uint)n;
	cl_kernel kernel = lane->kernels[k];
	mih_err err =
	    CHECK(clSetKernelArg, kernel, 0, sizeof(cl_mem), &lane->arena);

	if (!err)
		err = CHECK(clSetKernelArg, kernel, 1, sizeof(cl_mem),
			    &lane->groups);
	if (!err)
		err =
		    CHECK(clSetKernelArg, kernel, 2, sizeof(ngroups), &ngroups);
	if (!err)
		err = CHECK(clSetKernelArg, kernel, 3, sizeof(cl_mem),
			    &lane->nodes);
	if (!err)
		err = CHECK(clSetKernelArg, kernel, 4, sizeof(cl_mem),
			    &lane->digests);
	if (!err)
		err = CHECK(clEnqueueNDRangeKernel, lane->queue, kernel, 1,
			    NULL, &global, &local, 0, NULL, NULL);
	return err;
}

static mih_err opencl_hash(struct mih_gpu_lane *lane, enum mih_hash_alg alg,
			   const struct mih_gpu_group *groups, size_t n,
			   uint8_t *digests)
{
	size_t k = 0;
	mih_err err;

	while (k < MIH_ARRAY_LEN(kernels) && kernels[k].alg != alg)
		k++;
	if (k == MIH_ARRAY_LEN(kernels))
		return mih_err_fail(MIH_EBACKEND, "opencl: no such kernel");
	err = kernel_get(lane, k);
	if (!err)
		err = CHECK(clEnqueueWriteBuffer, lane->queue, lane->groups,
			    CL_FALSE, 0, n * sizeof(*groups), groups, 0, NULL,
			    NULL);
	if (!err)
		err = launch(lane, k, n);
	if (!err)
		err = CHECK(clEnqueueReadBuffer, lane->queue, lane->digests,
			    CL_FALSE, 0, n * mih_hash_info(alg)->len, digests,
			    0, NULL, NULL);
	return err;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Asked, not waited for, as in cuda.c. */
static mih_err opencl_finish(struct mih_gpu_lane *lane, unsigned timeout_ms)
{
	uint64_t until = now_ms() + timeout_ms;
	const struct timespec pause = { .tv_nsec = 20000 };
	cl_int status = CL_QUEUED;
	cl_event last;
	mih_err err =
	    CHECK(clEnqueueMarkerWithWaitList, lane->queue, 0, NULL, &last);

	if (!err)
		err = CHECK(clFlush, lane->queue);
	while (!err) {
		err = CHECK(clGetEventInfo, last,
			    CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status),
			    &status, NULL);

		if (err || status <= CL_COMPLETE)
			break;
		if (now_ms() > until)
			return mih_err_fail(MIH_EBACKEND,
					    "opencl: no answer for %u ms",
					    timeout_ms);
		nanosleep(&pause, NULL);
	}
	if (err)
		return err;
	cl.p_clReleaseEvent(last);
	return cl_check(status, "batch");
}

const struct mih_gpu_port_ops mih_gpu_opencl_port = {
	.kind = "opencl",
	.count = opencl_count,
	.open = opencl_open,
	.close = opencl_close,
	.describe = opencl_describe,
	.host_alloc = opencl_host_alloc,
	.host_free = opencl_host_free,
	.lane_open = opencl_lane_open,
	.lane_close = opencl_lane_close,
	.upload = opencl_upload,
	.hash = opencl_hash,
	.finish = opencl_finish,
};

static mih_err device_open(size_t ordinal, struct mih_gpu_dev **dev_out)
{
	return mih_gpu_offload_new(&mih_gpu_opencl_ops, &mih_gpu_opencl_port,
				   ordinal, dev_out);
}

const struct mih_gpu_ops mih_gpu_opencl_ops = {
	.api = MIH_GPU_API,
	.kind = "opencl",
	/* Named only: the same card may be there as a CUDA device, and PoCL is
	 * the processor itself. */
	.automatic = false,
	.count = opencl_count,
	.open = device_open,
	.close = mih_gpu_offload_close,
	.submit = mih_gpu_offload_submit,
	.staging_alloc = mih_gpu_offload_staging_alloc,
	.staging_free = mih_gpu_offload_staging_free,
	.describe = mih_gpu_offload_describe,
};
