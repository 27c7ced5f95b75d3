#include "cli/doctor/doctor.h"
#include "fs/host/probe.h"

#include <sys/utsname.h>
#include <unistd.h>

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

static void say_offer(struct mih_cli_doctor *d,
		      const struct mih_fs_offer *offer)
{
	mih_cli_doctor_fact(d, "fuse_protocol", "%u.%u", offer->major,
			    offer->minor);
	mih_cli_doctor_fact(d, "large_requests", "%s", yes(offer->max_pages));
	mih_cli_doctor_fact(d, "mmap_of_direct_files", "%s",
			    yes(offer->mmap_direct));
	mih_cli_doctor_fact(d, "passthrough", "%s", yes(offer->passthrough));
	mih_cli_doctor_fact(d, "fuse_over_io_uring", "%s",
			    yes(offer->io_uring));
	mih_cli_doctor_fact(d, "default_readahead", "%u KiB",
			    offer->max_readahead >> 10);
	if (!offer->max_pages)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_HINT,
		    "this kernel cannot ask for more than 128 KiB at once, so "
		    "reading is slow: use Linux 4.20 or newer");
}

/* An unprivileged user mounts by fusermount3, and needs no namespace. */
void mih_cli_doctor_kernel(struct mih_cli_doctor *d)
{
	struct mih_fs_offer offer;
	struct utsname name;

	if (uname(&name) == 0)
		mih_cli_doctor_fact(d, "release", "%s %s", name.release,
				    name.machine);
	if (mih_fs_probe(&offer) == 0) {
		say_offer(d, &offer);
		return;
	}
	mih_cli_doctor_fact(d, "fuse_protocol", "not known (%s)",
			    mih_err_message());
	if (geteuid() == 0)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_FATAL,
		    "a trial mount failed (%s): a container needs /dev/fuse "
		    "and CAP_SYS_ADMIN, or a descriptor from 'mihfs "
		    "fd-helper'",
		    mih_err_message());
}
