#include "cli/doctor/doctor.h"
#include "fs/host/probe.h"
#include "sandbox/sandbox.h"

#include <inttypes.h>
#include <string.h>

#define TCP_FROM     4 /* version of Landlock */
#define SIGNALS_FROM 6

static void look_at_landlock(struct mih_cli_doctor *d,
			     const struct mih_sandbox_offer *offer)
{
	if (offer->landlock) {
		mih_cli_doctor_fact(
		    d, "landlock", "version %d%s%s", offer->landlock,
		    offer->landlock >= TCP_FROM ? ", TCP" : "",
		    offer->landlock >= SIGNALS_FROM ? ", signals" : "");
		return;
	}
	mih_cli_doctor_fact(d, "landlock", "%s", strerror(offer->landlock_err));
	mih_cli_doctor_problem(d, MIH_CLI_DOCTOR_HINT,
			       "Landlock is not in use, so that a mount can "
			       "still open other files: boot Linux 5.13 or "
			       "newer with lsm=landlock,...");
}

static void look_at_filter(struct mih_cli_doctor *d,
			   const struct mih_sandbox_offer *offer)
{
	mih_cli_doctor_fact(d, "system_call_filter", "%s",
			    !offer->filter_built    ? "not in this build"
			    : !offer->filter_kernel ? "not in this kernel"
						    : "yes");
	if (!offer->filter_built)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_HINT,
		    "this build filters no system calls: build it with "
		    "libseccomp-dev installed");
}

void mih_cli_doctor_sandbox(struct mih_cli_doctor *d)
{
	mih_err namespaces = mih_fs_probe_namespace();
	struct mih_sandbox_offer offer;

	mih_sandbox_probe(&offer);
	look_at_landlock(d, &offer);
	look_at_filter(d, &offer);
	mih_cli_doctor_fact(d, "capabilities_now", "0x%" PRIx64,
			    offer.capabilities);
	mih_cli_doctor_fact(d, "user_namespaces", "%s",
			    namespaces ? strerror(-namespaces) : "yes");
	if (namespaces)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_HINT,
		    "this user may make no user namespace (%s), so 'mihfs run' "
		    "does not work: sysctl kernel.unprivileged_userns_clone=1, "
		    "user.max_user_namespaces, or "
		    "kernel.apparmor_restrict_unprivileged_userns=0",
		    strerror(-namespaces));
}
