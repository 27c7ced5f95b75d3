#include "cli/doctor/doctor.h"
#include "fs/host/mountinfo.h"
#include "fs/host/probe.h"

#include <string.h>

static const char *const states[] = {
	[MIH_FS_ALIVE] = "answers",
	[MIH_FS_DEAD] = "dead",
	[MIH_FS_SILENT] = "does not answer",
};

static bool look_at_mount(const struct mih_fs_mounted *mounted, void *context)
{
	struct mih_cli_doctor *d = context;
	enum mih_fs_life life;

	if (strcmp(mounted->type, MIH_FS_TYPE) != 0)
		return true;
	life = mih_fs_probe_mount(mounted->path);
	mih_cli_doctor_fact(d, mounted->path, "%s, from %s", states[life],
			    mounted->source);
	if (life != MIH_FS_ALIVE)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_HINT,
		    "the mount on %s %s: mihfs umount %s", mounted->path,
		    life == MIH_FS_DEAD ? "is dead, its server is gone"
					: "does not answer",
		    mounted->path);
	return true;
}

void mih_cli_doctor_mounts(struct mih_cli_doctor *d)
{
	if (mih_fs_mountinfo_each(look_at_mount, d))
		mih_cli_doctor_fact(d, "mounts", "%s", mih_err_message());
}
