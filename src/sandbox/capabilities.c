/*
 * Capabilities by system calls, so that no library is needed for four numbers.
 */
#include "sandbox/sandbox_internal.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORDS _LINUX_CAPABILITY_U32S_3

static mih_err get(struct __user_cap_data_struct data[WORDS])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

uint64_t mih_sandbox_capabilities(void)
{
	struct __user_cap_data_struct data[WORDS] = { 0 };

	if (get(data))
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

/* Without CAP_SETPCAP the bounding set stays; no program that is executed
 * gains from it then, because of no_new_privs. */
static void drop_bounds(uint64_t keep)
{
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (cap >= 64 || !(keep & (uint64_t)1 << cap))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

mih_err mih_sandbox_drop(uint64_t keep)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[WORDS] = { 0 };
	mih_err err = get(data);

	if (err)
		return mih_err_fail_errno(err, "capabilities");
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	drop_bounds(keep);
	for (unsigned i = 0; i < WORDS; i++) {
		data[i].effective &= (uint32_t)(keep >> 32 * i);
		data[i].permitted = data[i].effective;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return mih_err_fail_errno(-errno, "capabilities");
	return 0;
}

static mih_err set_effective(uint64_t effective)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[WORDS] = { 0 };
	mih_err err = get(data);

	for (unsigned i = 0; i < WORDS; i++)
		data[i].effective = (uint32_t)(effective >> 32 * i);
	if (!err && syscall(SYS_capset, &header, data) < 0)
		err = -errno;
	return err;
}

bool mih_sandbox_without_capabilities(bool (*works)(void *context),
				      void *context)
{
	uint64_t before = mih_sandbox_capabilities();
	bool did;

	if (!before || set_effective(0))
		return true;
	did = works(context);
	return set_effective(before) == 0 && did;
}
