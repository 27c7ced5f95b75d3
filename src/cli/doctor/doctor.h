/*
 * cli/doctor/doctor.h - what a section of "mihfs doctor" says, and how
 *
 * Layer: src/cli.  Threads: the main thread only.
 *
 * A section is a function in a file of its own and a row in cmd_doctor.c. It
 * states facts, and for each problem what to do.
 */
#ifndef MIH_CLI_DOCTOR_DOCTOR_H
#define MIH_CLI_DOCTOR_DOCTOR_H

#include "util/out/buffer.h"

#include <stdbool.h>

struct mih_cli_doctor {
	bool json;
	bool fatal;		    /* no mount can work here */
	const char *section;	    /* the one that speaks now */
	struct mih_buffer facts;    /* as text or JSON */
	struct mih_buffer problems; /* likewise */
};

enum mih_cli_doctor_weight {
	MIH_CLI_DOCTOR_HINT,  /* works, but could be better */
	MIH_CLI_DOCTOR_FATAL, /* no mount can work */
};

/** mih_cli_doctor_fact() - "name: value"; the name is a member in JSON. */
void mih_cli_doctor_fact(struct mih_cli_doctor *d, const char *name,
			 const char *fmt, ...) MIH_PRINTF(3, 4);

/**
 * mih_cli_doctor_problem() - one line: what is wrong, and what to do
 * @fmt: "WRONG: DO THIS"
 */
void mih_cli_doctor_problem(struct mih_cli_doctor *d,
			    enum mih_cli_doctor_weight weight, const char *fmt,
			    ...) MIH_PRINTF(3, 4);

/**
 * mih_cli_doctor_read() - the first line of a small file, without its end
 *
 * Return: false if it cannot be read.
 */
bool mih_cli_doctor_read(const char *file, char *line, size_t cap);

/* The sections, each in the file of its name. */
void mih_cli_doctor_kernel(struct mih_cli_doctor *d);
void mih_cli_doctor_fuse(struct mih_cli_doctor *d);
void mih_cli_doctor_devices(struct mih_cli_doctor *d);
void mih_cli_doctor_limits(struct mih_cli_doctor *d);
void mih_cli_doctor_sandbox(struct mih_cli_doctor *d);
void mih_cli_doctor_mounts(struct mih_cli_doctor *d);

#endif
