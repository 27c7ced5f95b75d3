#include "cli/mount/memory.h"
#include "util/checked.h"
#include "util/host/cgroup.h"
#include "util/log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT ((uint64_t)256 << 20)
#define MIB(n)	((n) >> 20)

uint64_t mih_cli_memory_settle(uint64_t asked, uint64_t limit)
{
	bool said = asked != MIH_CLI_MEMORY_UNSAID;
	uint64_t most = limit / (said ? 2 : 4);
	uint64_t budget = said ? asked : DEFAULT;

	if (limit)
		budget = MIH_MIN(budget, most);
	return MIH_MAX(budget, MIH_CLI_MEMORY_LEAST);
}

uint64_t mih_cli_memory_budget(uint64_t asked)
{
	uint64_t limit = 0, budget;

	if (!mih_cgroup_memory_limit(NULL, &limit))
		limit = 0;
	budget = mih_cli_memory_settle(asked, limit);
	if (asked != MIH_CLI_MEMORY_UNSAID && budget < asked)
		mih_log_warning("--memory is lowered to %" PRIu64
				" MiB, half of what the control group allows",
				MIB(budget));
	else if (limit)
		mih_log_info("memory: %" PRIu64 " of the %" PRIu64
			     " MiB that the control group allows",
			     MIB(budget), MIB(limit));
	return budget;
}

/* What could be had without swapping; 0 if the kernel does not say. */
static uint64_t available(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	uint64_t kib = 0;
	char line[128];

	while (f && !kib && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) != 1)
			kib = 0;
	if (f)
		fclose(f);
	return kib << 10;
}

/* Filling 4 KiB pages stops at 4-5 GB/s, however many cores do it. */
static void tell_page_size(void)
{
	static const char path[] =
	    "/sys/kernel/mm/transparent_hugepage/shmem_enabled";
	FILE *f = fopen(path, "re");
	char line[128] = "";

	if (f && fgets(line, sizeof(line), f) &&
	    (strstr(line, "[never]") || strstr(line, "[deny]")))
		mih_log_info("staged files take pages of 4 KiB; to fill them "
			     "faster: echo advise > %s",
			     path);
	if (f)
		fclose(f);
}

/* Sealed memory cannot be taken back: beside it and the cache an eighth of the
 * limit stays for everything else. */
static uint64_t most_staged(uint64_t limit, uint64_t cache)
{
	uint64_t taken = cache + limit / 8;

	return limit > taken ? limit - taken : 0;
}

uint64_t mih_cli_memory_stages(uint64_t asked, uint64_t cache)
{
	bool said = asked != MIH_CLI_MEMORY_UNSAID;
	uint64_t budget = said ? asked : available() / 2, limit;

	tell_page_size();
	if (mih_cgroup_memory_limit(NULL, &limit))
		budget = MIH_MIN(budget,
				 said ? most_staged(limit, cache) : limit / 2);
	if (said && budget < asked)
		mih_log_warning("--stage-memory is lowered to %" PRIu64
				" MiB, what the control group allows beside "
				"the cache",
				MIB(budget));
	else if (budget == 0)
		mih_log_warning("no memory for staged files: all are served "
				"through their cache");
	else
		mih_log_info("memory of staged files: at most %" PRIu64 " MiB",
			     MIB(budget));
	return budget;
}
