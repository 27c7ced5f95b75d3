#include "cli/mount/memory.h"
#include "util/checked.h"
#include "util/host/cgroup.h"
#include "util/log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>

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
