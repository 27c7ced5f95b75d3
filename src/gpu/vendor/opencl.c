/*
 * OpenCL 1.2 and later, for devices of any vendor and for processors (PoCL).
 * libOpenCL is opened at run time; the kernels travel as source text in the
 * binary and are compiled by the device's own driver, one program per hash, on
 * first use.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include "gpu/port_internal.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <CL/cl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Kernel sources, one text per kernel, made at build time. */
extern const char mih_gpu_opencl_mth4k_sha256[];
extern const char mih_gpu_opencl_mth4k_sha512[];
extern const char mih_gpu_opencl_mth4k_sha3_256[];
extern const char mih_gpu_opencl_blake3[];
extern const char mih_gpu_opencl_lthash16[];
extern const char mih_gpu_opencl_sha256_segments[];

static const char *const sources[MIH_GPU_KERNEL_END] = {
	[MIH_GPU_KERNEL_MTH4K_SHA256] = mih_gpu_opencl_mth4k_sha256,
	[MIH_GPU_KERNEL_MTH4K_SHA512] = mih_gpu_opencl_mth4k_sha512,
	[MIH_GPU_KERNEL_MTH4K_SHA3_256] = mih_gpu_opencl_mth4k_sha3_256,
	[MIH_GPU_KERNEL_BLAKE3] = mih_gpu_opencl_blake3,
	[MIH_GPU_KERNEL_LTHASH16] = mih_gpu_opencl_lthash16,
	[MIH_GPU_KERNEL_SHA256_SEGMENTS] = mih_gpu_opencl_sha256_segments,
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
	cl_program programs[MIH_GPU_KERNEL_END];
	struct pinned *pinned;
};

struct mih_gpu_lane {
	struct mih_gpu_port *port;
	cl_command_queue queue;
	cl_mem arena, table, nodes, out;
	cl_kernel kernels[MIH_GPU_KERNEL_END];
	cl_event last; /* of the last command begun; owned, or NULL */
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

/* What only extensions tell: which card it is, for those that say so. */
#define PCI_BUS_INFO_KHR 0x410f /* cl_khr_pci_bus_info */
#define DEVICE_UUID_KHR	 0x106a /* cl_khr_device_uuid */

static void identify_card(cl_device_id device, struct mih_gpu_identity *id)
{
	struct {
		cl_uint domain, bus, device, function;
	} pci;
	unsigned char uuid[16];
	int at = 0;

	if (cl.p_clGetDeviceInfo(device, PCI_BUS_INFO_KHR, sizeof(pci), &pci,
				 NULL) == CL_SUCCESS)
		snprintf(id->pci, sizeof(id->pci), "%04x:%02x:%02x.%x",
			 pci.domain & 0xffff, pci.bus & 0xff, pci.device & 0xff,
			 pci.function & 0xf);
	if (cl.p_clGetDeviceInfo(device, DEVICE_UUID_KHR, sizeof(uuid), uuid,
				 NULL) != CL_SUCCESS)
		return;
	for (int i = 0; i < 16; i++)
		at += snprintf(
		    id->uuid + at, sizeof(id->uuid) - (size_t)at, "%s%02x",
		    i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

static void opencl_identify(size_t ordinal, struct mih_gpu_identity *id)
{
	cl_device_id device = cl.devices[ordinal];
	cl_device_type type = 0;
	cl_ulong memory = 0;

	*id = (struct mih_gpu_identity){ .name = "?" };
	cl.p_clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof(id->name) - 1,
			     id->name, NULL);
	cl.p_clGetDeviceInfo(device, CL_DRIVER_VERSION, sizeof(id->driver) - 1,
			     id->driver, NULL);
	cl.p_clGetDeviceInfo(device, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(memory),
			     &memory, NULL);
	cl.p_clGetDeviceInfo(device, CL_DEVICE_TYPE, sizeof(type), &type, NULL);
	id->memory = memory;
	id->is_gpu = type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR);
	identify_card(device, id);
}

static void opencl_close(struct mih_gpu_port *port)
{
	for (int i = 0; i < MIH_GPU_KERNEL_END; i++)
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
		return mih_err_fail(MIH_EBACKEND, "opencl: out of memory");
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
	*port_out = port;
	return 0;
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
	cl_mem mems[] = { lane->arena, lane->table, lane->nodes, lane->out };

	for (int i = 0; i < MIH_GPU_KERNEL_END; i++)
		if (lane->kernels[i])
			cl.p_clReleaseKernel(lane->kernels[i]);
	for (size_t i = 0; i < MIH_ARRAY_LEN(mems); i++)
		if (mems[i])
			cl.p_clReleaseMemObject(mems[i]);
	if (lane->last)
		cl.p_clReleaseEvent(lane->last);
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
		return mih_err_fail(MIH_EBACKEND, "opencl: out of memory");
	lane->port = port;
	lane->queue =
	    cl.p_clCreateCommandQueue(port->context, port->device, 0, &rc);
	err = cl_check(rc, "clCreateCommandQueue");
	if (!err)
		err =
		    device_memory(lane, ngroups * MIH_HASH_GROUP, &lane->arena);
	if (!err)
		err = device_memory(lane, ngroups * MIH_GPU_ROW_MAX,
				    &lane->table);
	if (!err)
		err = device_memory(lane, ngroups * MIH_GPU_NODES_LEN,
				    &lane->nodes);
	if (!err)
		err =
		    device_memory(lane, ngroups * MIH_GPU_OUT_LEN, &lane->out);
	if (err) {
		opencl_lane_close(lane);
		return err;
	}
	*lane_out = lane;
	return 0;
}

/* Each command waits for the one before it by name: a queue in order would do
 * so anyway, but this way a command that fails takes its successors with it. */
static cl_uint nwaits(const struct mih_gpu_lane *lane)
{
	return lane->last ? 1 : 0;
}

static const cl_event *waits(const struct mih_gpu_lane *lane)
{
	return lane->last ? &lane->last : NULL;
}

static mih_err begun(struct mih_gpu_lane *lane, cl_int rc, cl_event event,
		     const char *what)
{
	if (rc != CL_SUCCESS)
		return cl_check(rc, what);
	if (lane->last)
		cl.p_clReleaseEvent(lane->last);
	lane->last = event;
	return 0;
}

static mih_err write_begin(struct mih_gpu_lane *lane, cl_mem to, size_t at,
			   const void *data, size_t len)
{
	cl_event event;
	cl_int rc =
	    cl.p_clEnqueueWriteBuffer(lane->queue, to, CL_FALSE, at, len, data,
				      nwaits(lane), waits(lane), &event);

	return begun(lane, rc, event, "clEnqueueWriteBuffer");
}

static mih_err read_begin(struct mih_gpu_lane *lane, void *out, size_t len)
{
	cl_event event;
	cl_int rc =
	    cl.p_clEnqueueReadBuffer(lane->queue, lane->out, CL_FALSE, 0, len,
				     out, nwaits(lane), waits(lane), &event);

	return begun(lane, rc, event, "clEnqueueReadBuffer");
}

static mih_err opencl_upload(struct mih_gpu_lane *lane, size_t at,
			     const void *data, size_t len)
{
	return write_begin(lane, lane->arena, at, data, len);
}

/* As much of the compiler's words as fits in a story. */
static mih_err tell_build(struct mih_gpu_port *port, cl_program program, int k)
{
	mih_autofree char *log = NULL;
	size_t len = 0;

	cl.p_clGetProgramBuildInfo(program, port->device, CL_PROGRAM_BUILD_LOG,
				   0, NULL, &len);
	log = calloc(1, len + 1);
	if (log)
		cl.p_clGetProgramBuildInfo(program, port->device,
					   CL_PROGRAM_BUILD_LOG, len, log,
					   NULL);
	return mih_err_fail(MIH_EBACKEND, "opencl: %s: %.400s",
			    mih_gpu_kernels[k].name, log ? log : "?");
}

/* NVIDIA's compiler takes more registers than is good unless it is told. */
static void build_options(cl_device_id device, int k, char options[64])
{
	unsigned most = 65536 / 256 / mih_gpu_kernels[k].resident;
	char extensions[4096] = "";
	int len = snprintf(options, 64, "-cl-std=CL1.2");

	cl.p_clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS,
			     sizeof(extensions) - 1, extensions, NULL);
	if (strstr(extensions, "cl_nv_compiler_options"))
		snprintf(options + len, 64 - (size_t)len,
			 " -cl-nv-maxrregcount=%u",
			 MIH_MIN(most / 8 * 8, 255u));
}

/* The lock makes two lanes that need a program at once build it once. */
static mih_err program_get(struct mih_gpu_port *port, int k,
			   cl_program *program_out)
{
	pthread_mutex_t *guard mih_autounlock = &port->lock;
	const char *source = sources[k];
	char options[64];
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
	build_options(port->device, k, options);
	rc =
	    cl.p_clBuildProgram(program, 1, &port->device, options, NULL, NULL);
	if (rc != CL_SUCCESS) {
		mih_err err = tell_build(port, program, k);

		cl.p_clReleaseProgram(program);
		return err;
	}
	*program_out = port->programs[k] = program;
	return 0;
}

static mih_err kernel_get(struct mih_gpu_lane *lane, int k)
{
	cl_program program;
	mih_err err;
	cl_int rc;

	if (lane->kernels[k])
		return 0;
	err = program_get(lane->port, k, &program);
	if (err)
		return err;
	lane->kernels[k] =
	    cl.p_clCreateKernel(program, mih_gpu_kernels[k].name, &rc);
	return cl_check(rc, "clCreateKernel");
}

static mih_err set_arguments(const struct mih_gpu_lane *lane, cl_kernel kernel,
			     cl_uint n)
{
	const struct {
		size_t len;
		const void *value;
	} args[] = {
		{ sizeof(cl_mem), &lane->arena },
		{ sizeof(cl_mem), &lane->table },
		{ sizeof(n), &n },
		{ sizeof(cl_mem), &lane->nodes },
		{ sizeof(cl_mem), &lane->out },
	};
	mih_err err = 0;

	for (cl_uint i = 0; i < MIH_ARRAY_LEN(args) && !err; i++)
		err = CHECK(clSetKernelArg, kernel, i, args[i].len,
			    args[i].value);
	return err;
}

static mih_err run_kernel(struct mih_gpu_lane *lane,
			  const struct mih_gpu_launch *launch)
{
	struct mih_gpu_grid grid = mih_gpu_grid(launch->kernel, launch->n);
	size_t global = grid.groups * grid.items;
	cl_kernel kernel = lane->kernels[launch->kernel];
	mih_err err = set_arguments(lane, kernel, (cl_uint)launch->n);
	cl_event event;
	cl_int rc;

	if (err)
		return err;
	rc = cl.p_clEnqueueNDRangeKernel(lane->queue, kernel, 1, NULL, &global,
					 &grid.items, nwaits(lane), waits(lane),
					 &event);
	return begun(lane, rc, event, "clEnqueueNDRangeKernel");
}

/* What is no digest is copied, not filled in: to fill may be a kernel's work,
 * which a device that runs none would not do either. */
static mih_err opencl_prepare(struct mih_gpu_lane *lane,
			      const struct mih_gpu_launch *launch)
{
	mih_err err =
	    write_begin(lane, lane->table, 0, launch->table,
			launch->n * mih_gpu_kernels[launch->kernel].row_len);

	if (!err)
		err = write_begin(lane, lane->out, 0, launch->out,
				  launch->out_len);
	return err;
}

static mih_err opencl_launch(struct mih_gpu_lane *lane,
			     const struct mih_gpu_launch *launch)
{
	mih_err err = kernel_get(lane, launch->kernel);

	if (!err)
		err = run_kernel(lane, launch);
	if (!err)
		err = read_begin(lane, launch->out, launch->out_len);
	if (!err)
		err = CHECK(clFlush, lane->queue);
	return err;
}

static mih_err opencl_poll(struct mih_gpu_lane *lane)
{
	cl_int status = CL_COMPLETE;
	mih_err err = 0;

	if (lane->last)
		err = CHECK(clGetEventInfo, lane->last,
			    CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(status),
			    &status, NULL);
	if (err)
		return err;
	return status > CL_COMPLETE ? -EAGAIN : cl_check(status, "batch");
}

const struct mih_gpu_port_ops mih_gpu_opencl_port = {
	.kind = "opencl",
	.count = opencl_count,
	.identify = opencl_identify,
	.open = opencl_open,
	.close = opencl_close,
	.host_alloc = opencl_host_alloc,
	.host_free = opencl_host_free,
	.lane_open = opencl_lane_open,
	.lane_close = opencl_lane_close,
	.prepare = opencl_prepare,
	.upload = opencl_upload,
	.launch = opencl_launch,
	.poll = opencl_poll,
};
