#include "sandbox/sandbox_internal.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <linux/seccomp.h>
#include <unistd.h>

static struct mih_sandbox_state state;

const struct mih_sandbox_state *mih_sandbox_state(void)
{
	return &state;
}

/* The C library opens this one when a thread is cancelled or ends early, and
 * kills the process if it cannot. */
static void load_unwinder(void)
{
	(void)!dlopen("libgcc_s.so.1", RTLD_NOW);
}

/* The leak checker of a build with sanitizers is a debugger too. */
mih_err mih_sandbox_no_dumps(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 ||
	    (!HAVE_SANITIZERS && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		return mih_err_fail_errno(-errno, "core dumps");
	state.no_core_dumps = true;
	return 0;
}

static mih_err stop_gaining(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return mih_err_fail_errno(-errno, "no_new_privs");
	state.no_new_privileges = true;
	return 0;
}

static mih_err close_paths(const struct mih_sandbox_params *params)
{
	mih_err err;

	if (params->no_paths)
		return 0;
	err = mih_sandbox_landlock(params, &state.landlock);
	if (!err && state.landlock >= 4)
		state.no_network = true;
	return err;
}

static mih_err drop(const struct mih_sandbox_params *params)
{
	mih_err err = mih_sandbox_drop(params->capabilities);

	state.capabilities_dropped = !err;
	state.capabilities = mih_sandbox_capabilities();
	return err;
}

static bool makes_files(const struct mih_sandbox_params *params)
{
	for (size_t i = 0; i < params->npaths; i++)
		if (params->paths[i].access & MIH_SANDBOX_MAKE)
			return true;
	return false;
}

static mih_err filter(const struct mih_sandbox_params *params)
{
	mih_err err;

	if (params->filter == MIH_SANDBOX_ALL_CALLS)
		return 0;
	err = mih_sandbox_filter(params, makes_files(params));
	if (err)
		return err;
	state.filter = true;
	state.no_network = true;
	return 0;
}

/* In this order: each step may need what a later one gives up. */
mih_err mih_sandbox_enter(const struct mih_sandbox_params *params)
{
	static mih_err (*const steps[])(const struct mih_sandbox_params *) = {
		close_paths,
		drop,
		filter,
	};
	char story[256] = "";
	mih_err first, err;

	load_unwinder();
	first = mih_sandbox_no_dumps();
	if (!first)
		first = stop_gaining();
	if (first)
		return first;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		err = steps[i](params);
		if (err && !first) {
			first = err;
			snprintf(story, sizeof(story), "%s", mih_err_message());
		}
	}
	state.entered = true;
	return first ? mih_err_fail(first, "%s", story) : 0;
}

static void describe_capabilities(const struct mih_sandbox_state *s, char *text,
				  size_t cap)
{
	if (!s->capabilities_dropped)
		snprintf(text, cap, "all capabilities");
	else if (!s->capabilities)
		snprintf(text, cap, "no capabilities");
	else
		snprintf(text, cap, "capabilities 0x%llx",
			 (unsigned long long)s->capabilities);
}

void mih_sandbox_describe(const struct mih_sandbox_state *s, char *line,
			  size_t cap)
{
	char capabilities[64], landlock[32] = "no Landlock";

	if (!s->entered) {
		snprintf(line, cap, "off");
		return;
	}
	describe_capabilities(s, capabilities, sizeof(capabilities));
	if (s->landlock)
		snprintf(landlock, sizeof(landlock), "Landlock %d",
			 s->landlock);
	snprintf(line, cap, "%s, %s, %s, %s, %s, %s", capabilities,
		 s->no_new_privileges ? "no new privileges"
				      : "new privileges possible",
		 landlock, s->filter ? "system calls filtered" : "no filter",
		 s->no_network ? "no network" : "network open",
		 s->no_core_dumps ? "no core dumps" : "core dumps possible");
}

void mih_sandbox_probe(struct mih_sandbox_offer *offer)
{
	uint32_t action = SECCOMP_RET_ERRNO;
	int version = mih_sandbox_landlock_version();

	*offer = (struct mih_sandbox_offer){
		.landlock = version > 0 ? version : 0,
		.landlock_err = version < 0 ? -version : 0,
		.filter_built = mih_sandbox_filter_built(),
		.filter_kernel = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL,
					 0, &action) == 0,
		.capabilities = mih_sandbox_capabilities(),
	};
}
