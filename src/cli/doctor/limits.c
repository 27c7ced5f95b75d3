#include "cli/doctor/doctor.h"
#include "util/host/cgroup.h"

#include <inttypes.h>
#include <sys/resource.h>

#define FILES_LEAST  1024
#define MEMORY_LEAST ((uint64_t)384 << 20) /* the default cache and more */
#define HUGE_PAGES   "/sys/kernel/mm/transparent_hugepage/enabled"

static void say_limit(struct mih_cli_doctor *d, const char *name,
		      const struct rlimit *limit)
{
	if (limit->rlim_max == RLIM_INFINITY)
		mih_cli_doctor_fact(d, name, "no limit");
	else
		mih_cli_doctor_fact(d, name, "%ju", (uintmax_t)limit->rlim_max);
}

/* A mount raises the first to its hard limit by itself. */
static void look_at_process(struct mih_cli_doctor *d)
{
	struct rlimit files, locked;

	if (getrlimit(RLIMIT_MEMLOCK, &locked) == 0)
		say_limit(d, "locked_bytes", &locked);
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	say_limit(d, "open_files", &files);
	if (files.rlim_max < FILES_LEAST)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_HINT,
		    "only %ju files may be open at once: raise it with "
		    "'ulimit -Hn' or LimitNOFILE=",
		    (uintmax_t)files.rlim_max);
}

static void look_at_memory(struct mih_cli_doctor *d)
{
	uint64_t limit;

	if (!mih_cgroup_memory_limit(NULL, &limit)) {
		mih_cli_doctor_fact(d, "memory_limit", "none");
		return;
	}
	mih_cli_doctor_fact(d, "memory_limit", "%" PRIu64 " MiB", limit >> 20);
	if (limit < MEMORY_LEAST)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_HINT,
		    "the control group has only %" PRIu64 " MiB of memory: "
		    "give it 384 MiB and more, or mount with a small --memory",
		    limit >> 20);
}

static void look_at_huge_pages(struct mih_cli_doctor *d)
{
	char line[128];

	if (mih_cli_doctor_read(HUGE_PAGES, line, sizeof(line)))
		mih_cli_doctor_fact(d, "transparent_huge_pages", "%s", line);
}

void mih_cli_doctor_limits(struct mih_cli_doctor *d)
{
	look_at_process(d);
	look_at_memory(d);
	look_at_huge_pages(d);
}
