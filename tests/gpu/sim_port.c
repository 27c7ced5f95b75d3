#include "gpu/sim_port.h"
#include "gpu/offload/staging_internal.h"
#include "gpu/port_internal.h"
#include "util/checked.h"
#include "util/host/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mih_test_sim mih_test_sims[MIH_TEST_SIMS];

struct mih_gpu_port {
	struct mih_test_sim *sim;
	pthread_mutex_t lock;
	uint64_t busy_until_ns;
};

struct mih_gpu_lane {
	struct mih_gpu_port *port;
	uint8_t *arena, *table, *out;
	uint64_t done_ns;
};

static const struct {
	const char *name;
	enum mih_test_fault fault;
} faults[] = {
	{ "open", MIH_TEST_OPEN_FAILS },
	{ "memory", MIH_TEST_OUT_OF_MEMORY },
	{ "launch", MIH_TEST_LAUNCH_FAILS },
	{ "hang", MIH_TEST_HANGS },
	{ "wrong", MIH_TEST_WRONG },
	{ "marked", MIH_TEST_MARKED },
	{ "idle", MIH_TEST_IDLE },
	{ "stuck", MIH_TEST_STUCK },
	{ "stuckearly", MIH_TEST_STUCK_EARLY },
};

static void set_fault(unsigned device, const char *name, unsigned after)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(faults); i++)
		if (device < MIH_TEST_SIMS && !strcmp(faults[i].name, name)) {
			mih_test_sims[device].after = after;
			mih_test_sims[device].fault = faults[i].fault;
			return;
		}
	fprintf(stderr, "MIHFS_SIM: %u:%s is no fault\n", device, name);
	abort();
}

static void read_environment(void)
{
	const char *at = getenv("MIHFS_SIM"), *ms = getenv("MIHFS_SIM_OPEN_MS");
	const char *start = getenv("MIHFS_SIM_START_MS");
	unsigned device, after;
	char name[16];
	int len;

	if (start)
		usleep((useconds_t)atoi(start) * 1000);
	for (size_t i = 0; ms && i < MIH_TEST_SIMS; i++)
		mih_test_sims[i].open_ms = (unsigned)atoi(ms);
	while (at && *at) {
		after = 0;
		len = 0;
		if (sscanf(at, "%u:%15[a-z]%n:%u%n", &device, name, &len,
			   &after, &len) < 2)
			abort();
		set_fault(device, name, after);
		at += len;
		at += strspn(at, " ");
	}
}

/* Of a device that is down nothing is released, since it might still write to
 * it: here it stays reachable, so that nobody takes it for a leak. */
static pthread_mutex_t keep_lock = PTHREAD_MUTEX_INITIALIZER;
static void *kept[4096];

static void *keep(void *buf)
{
	size_t i = 0;

	pthread_mutex_lock(&keep_lock);
	while (buf && kept[i])
		i++;
	kept[i] = buf;
	pthread_mutex_unlock(&keep_lock);
	return buf;
}

static void drop(void *buf)
{
	pthread_mutex_lock(&keep_lock);
	for (size_t i = 0; i < MIH_ARRAY_LEN(kept); i++)
		if (buf && kept[i] == buf)
			kept[i] = NULL;
	pthread_mutex_unlock(&keep_lock);
	free(buf);
}

/* The cards of the first numbers; and one more, of which the driver then knows
 * nothing. */
static bool sim_seems_there(const char *which)
{
	return strlen(which) == 1 && which[0] >= '0' && which[0] <= '9' &&
	       which[0] != '8';
}

_Atomic int mih_test_sims_only = -1;

static void sim_only(size_t ordinal)
{
	atomic_store(&mih_test_sims_only, (int)ordinal);
}

static size_t sim_count(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_environment);
	return MIH_TEST_SIMS;
}

static void sim_identify(size_t ordinal, struct mih_gpu_identity *id)
{
	*id = (struct mih_gpu_identity){ .name = "simulated",
					 .driver = "1",
					 .memory = (uint64_t)1 << 30,
					 .is_gpu = true };
	snprintf(id->uuid, sizeof(id->uuid), "SIM-%02zu", ordinal);
	snprintf(id->pci, sizeof(id->pci), "0000:%02zx:00.0", ordinal);
}

static mih_err sim_open(size_t ordinal, struct mih_gpu_port **port_out)
{
	struct mih_test_sim *sim = &mih_test_sims[ordinal];
	struct mih_gpu_port *port;
	struct timespec pause = { .tv_sec = sim->open_ms / 1000,
				  .tv_nsec = sim->open_ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
	if (sim->fault == MIH_TEST_OPEN_FAILS)
		return mih_err_fail(MIH_EBACKEND, "sim: fell off the bus");
	port = keep(calloc(1, sizeof(*port)));
	if (!port)
		return mih_err_fail(MIH_EBACKEND, "sim: out of memory");
	port->sim = sim;
	pthread_mutex_init(&port->lock, NULL);
	*port_out = port;
	return 0;
}

static void sim_close(struct mih_gpu_port *port)
{
	pthread_mutex_destroy(&port->lock);
	drop(port);
}

static void *sim_host_alloc(struct mih_gpu_port *port, size_t len)
{
	void *buf;

	(void)port;
	return posix_memalign(&buf, 4096, len) ? NULL : keep(buf);
}

static void sim_host_free(struct mih_gpu_port *port, void *buf)
{
	(void)port;
	drop(buf);
}

static mih_err sim_lane_open(struct mih_gpu_port *port, size_t ngroups,
			     struct mih_gpu_lane **lane_out)
{
	struct mih_gpu_lane *lane = keep(calloc(1, sizeof(*lane)));

	if (lane && port->sim->fault != MIH_TEST_OUT_OF_MEMORY) {
		lane->arena = keep(malloc(ngroups * MIH_HASH_GROUP));
		lane->table = keep(calloc(ngroups, MIH_GPU_ROW_MAX));
		lane->out = keep(malloc(ngroups * MIH_GPU_OUT_LEN));
	}
	if (!lane || !lane->arena || !lane->table || !lane->out) {
		drop(lane);
		return mih_err_fail(MIH_EBACKEND, "sim: out of memory");
	}
	lane->port = port;
	*lane_out = lane;
	return 0;
}

static void sim_lane_close(struct mih_gpu_lane *lane)
{
	drop(lane->arena);
	drop(lane->table);
	drop(lane->out);
	drop(lane);
}

static void stay_while(const struct mih_test_sim *sim,
		       enum mih_test_fault fault)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	while (sim->fault == fault && !sim->after)
		nanosleep(&pause, NULL);
}

static mih_err sim_upload(struct mih_gpu_lane *lane, size_t at,
			  const void *data, size_t len)
{
	struct mih_test_sim *sim = lane->port->sim;

	if (!mih_gpu_staging_lasts(data))
		atomic_fetch_add(&sim->bounced, len);
	stay_while(sim, MIH_TEST_STUCK);
	memcpy(lane->arena + at, data, len);
	return 0;
}

static const enum mih_hash_alg algs[] = {
	[MIH_GPU_KERNEL_MTH4K_SHA256] = MIH_HASH_MTH4K_SHA256,
	[MIH_GPU_KERNEL_MTH4K_SHA512] = MIH_HASH_MTH4K_SHA512,
	[MIH_GPU_KERNEL_MTH4K_SHA3_256] = MIH_HASH_MTH4K_SHA3_256,
	[MIH_GPU_KERNEL_BLAKE3] = MIH_HASH_BLAKE3,
};

/* Now, though it is told to nobody before its time has come. */
static uint64_t run_kernel(struct mih_gpu_lane *lane,
			   const struct mih_gpu_launch *launch)
{
	const struct mih_gpu_group *groups = (const void *)lane->table;
	enum mih_hash_alg alg = algs[launch->kernel];
	uint8_t *out = lane->out;
	uint64_t nbytes = 0;

	for (size_t i = 0; i < launch->n; i++) {
		struct mih_hash_range range = {
			.data = lane->arena + i * MIH_HASH_GROUP,
			.len = groups[i].len,
			.off = groups[i].off,
			.is_root = groups[i].is_root,
		};

		mih_hash_groups(alg, &range, 1, out);
		out += mih_hash_info(alg)->len;
		nbytes += range.len;
	}
	return nbytes;
}

static void spoil_marked(const struct mih_gpu_lane *lane,
			 const struct mih_gpu_launch *launch)
{
	static const char mark[] = MIH_TEST_MARK;
	uint8_t *digest = launch->out;

	for (size_t i = 0; i < launch->n; i++) {
		if (!memcmp(lane->arena + i * MIH_HASH_GROUP, mark,
			    sizeof(mark) - 1))
			digest[5] ^= 4;
		digest += mih_hash_info(algs[launch->kernel])->len;
	}
}

/* Which fault is due; counts the launches before it. */
static enum mih_test_fault due(struct mih_test_sim *sim)
{
	unsigned after = sim->after;

	while (after > 0)
		if (atomic_compare_exchange_weak(&sim->after, &after,
						 after - 1))
			return MIH_TEST_NO_FAULT;
	return (enum mih_test_fault)sim->fault;
}

static mih_err sim_prepare(struct mih_gpu_lane *lane,
			   const struct mih_gpu_launch *launch)
{
	stay_while(lane->port->sim, MIH_TEST_STUCK_EARLY);
	memcpy(lane->table, launch->table,
	       launch->n * mih_gpu_kernels[launch->kernel].row_len);
	memcpy(lane->out, launch->out, launch->out_len);
	return 0;
}

static mih_err sim_launch(struct mih_gpu_lane *lane,
			  const struct mih_gpu_launch *launch)
{
	struct mih_test_sim *sim = lane->port->sim;
	enum mih_test_fault fault = due(sim);
	uint64_t nbytes, took, now;

	if (fault == MIH_TEST_LAUNCH_FAILS ||
	    launch->kernel >= MIH_ARRAY_LEN(algs))
		return mih_err_fail(MIH_EBACKEND, "sim: launch failure");
	nbytes = fault == MIH_TEST_IDLE ? 0 : run_kernel(lane, launch);
	memcpy(launch->out, lane->out, launch->out_len);
	if (fault == MIH_TEST_WRONG)
		((uint8_t *)launch->out)[launch->out_len / 2] ^= 4;
	if (fault == MIH_TEST_MARKED)
		spoil_marked(lane, launch);
	took = (nbytes * sim->ns_per_mib) >> 20;
	atomic_fetch_add(&sim->nbytes, nbytes);
	pthread_mutex_lock(&lane->port->lock);
	now = mih_clock_ns();
	lane->port->busy_until_ns =
	    MIH_MAX(lane->port->busy_until_ns, now) + took;
	lane->done_ns =
	    fault == MIH_TEST_HANGS ? UINT64_MAX : lane->port->busy_until_ns;
	pthread_mutex_unlock(&lane->port->lock);
	return 0;
}

static mih_err sim_poll(struct mih_gpu_lane *lane)
{
	return mih_clock_ns() < lane->done_ns ? -EAGAIN : 0;
}

static const struct mih_gpu_port_ops sim_port = {
	.kind = "sim",
	.answer_ms = HAVE_SANITIZERS ? 1600 : 400, /* these are slow */
	.seems_there = sim_seems_there,
	.only = sim_only,
	.count = sim_count,
	.identify = sim_identify,
	.open = sim_open,
	.close = sim_close,
	.host_alloc = sim_host_alloc,
	.host_free = sim_host_free,
	.lane_open = sim_lane_open,
	.lane_close = sim_lane_close,
	.prepare = sim_prepare,
	.upload = sim_upload,
	.launch = sim_launch,
	.poll = sim_poll,
};

/* In place of ports.c. */
const struct mih_gpu_port_ops *const mih_gpu_ports[] = { &sim_port, NULL };
