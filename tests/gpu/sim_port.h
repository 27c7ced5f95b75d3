/*
 * tests/gpu/sim_port.h - devices that exist only in memory, and fail on demand
 *
 * A program that links sim_port.c has devices "sim:0" .. "sim:7" instead of the
 * build's. They hash with the portable code, as fast as they are told to, and
 * do what real ones do when they break. "sim:9" seems to be there and is not.
 */
#ifndef MIH_TESTS_GPU_SIM_PORT_H
#define MIH_TESTS_GPU_SIM_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MIH_TEST_SIMS 8

enum mih_test_fault {
	MIH_TEST_NO_FAULT,
	MIH_TEST_OPEN_FAILS,	/* the driver is there, the device is not */
	MIH_TEST_OUT_OF_MEMORY, /* at start */
	MIH_TEST_LAUNCH_FAILS,
	MIH_TEST_HANGS,	 /* takes work and never ends it */
	MIH_TEST_WRONG,	 /* one bit of each result */
	MIH_TEST_MARKED, /* one bit of each group that begins with a mark */
	MIH_TEST_IDLE,	 /* copies all there is, and runs no kernel */
	MIH_TEST_STUCK,	 /* no upload returns until there is another fault */
	MIH_TEST_STUCK_EARLY, /* nor does what comes before uploads */
};

/* Makes a group's digest wrong on a device with that fault. */
#define MIH_TEST_MARK "sim: hash wrongly"

/** One device; may be changed at any time. */
struct mih_test_sim {
	_Atomic unsigned fault; /* enum mih_test_fault */
	_Atomic unsigned after; /* launches that go well before it */
	_Atomic unsigned open_ms;
	_Atomic uint64_t ns_per_mib;
	_Atomic uint64_t nbytes;  /* hashed so far */
	_Atomic uint64_t bounced; /* that were copied for it before */
};

extern struct mih_test_sim mih_test_sims[MIH_TEST_SIMS];

/** The last device that was said to be the only one of the process; or -1. */
extern _Atomic int mih_test_sims_only;

/* The environment sets them too, for whole programs:
 *   MIHFS_SIM="0:hang:3 1:wrong"   fault of a device, launches before it
 *   MIHFS_SIM_OPEN_MS=3000         how long opening takes
 *   MIHFS_SIM_START_MS=3000        how long the driver takes to start */

#endif
