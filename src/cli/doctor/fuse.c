#include "cli/doctor/doctor.h"
#include "fs/host/probe.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEVICE "/dev/fuse"
#define CONF   "/etc/fuse.conf"

static void look_at_device(struct mih_cli_doctor *d)
{
	mih_autoclose int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		mih_cli_doctor_fact(d, "device", DEVICE ", can be opened");
		return;
	}
	mih_cli_doctor_fact(d, "device", DEVICE ": %s", strerror(errno));
	if (errno == ENOENT)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_FATAL,
		    DEVICE " is missing: modprobe fuse, or give it to this "
			   "container (--device /dev/fuse)");
	else
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_FATAL,
		    DEVICE " cannot be opened (%s): chmod 666 " DEVICE
			   ", or allow it to this container",
		    strerror(errno));
}

/* Of the folders of PATH the first one that has it. */
static bool find_helper(char *file, size_t cap, struct stat *st)
{
	const char *path = getenv("PATH");
	mih_autofree char *copy = strdup(path ? path : "/usr/bin:/bin");
	char *save = NULL;

	for (char *at = copy ? strtok_r(copy, ":", &save) : NULL; at;
	     at = strtok_r(NULL, ":", &save)) {
		snprintf(file, cap, "%s/fusermount3", at);
		if (stat(file, st) == 0)
			return true;
	}
	return false;
}

static void look_at_helper(struct mih_cli_doctor *d)
{
	enum mih_cli_doctor_weight weight =
	    geteuid() ? MIH_CLI_DOCTOR_FATAL : MIH_CLI_DOCTOR_HINT;
	char file[4096];
	struct stat st;

	if (!find_helper(file, sizeof(file), &st)) {
		mih_cli_doctor_fact(d, "fusermount3", "none");
		mih_cli_doctor_problem(d, weight,
				       "fusermount3 is missing, so that only "
				       "root can mount: apt-get install fuse3");
		return;
	}
	if (st.st_uid == 0 && st.st_mode & S_ISUID) {
		mih_cli_doctor_fact(d, "fusermount3", "%s", file);
		return;
	}
	mih_cli_doctor_fact(d, "fusermount3", "%s, not setuid root", file);
	mih_cli_doctor_problem(d, weight,
			       "fusermount3 is not setuid root, so that only "
			       "root can mount: chmod u+s %s",
			       file);
}

static void look_at_conf(struct mih_cli_doctor *d)
{
	FILE *f = fopen(CONF, "re");
	mih_autofree char *line = NULL;
	bool others = false;
	int max = 1000; /* fusermount3's own default */
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		others |= !strcmp(line, "user_allow_other\n");
		(void)!sscanf(line, "mount_max = %d", &max);
	}
	if (f)
		fclose(f);
	mih_cli_doctor_fact(d, "user_allow_other", "%s", others ? "yes" : "no");
	mih_cli_doctor_fact(d, "mount_max", "%d", max);
	if (!others && geteuid() != 0)
		mih_cli_doctor_problem(
		    d, MIH_CLI_DOCTOR_HINT,
		    "other users cannot be let in (-o allow_other): echo "
		    "user_allow_other | sudo tee -a " CONF);
}

void mih_cli_doctor_fuse(struct mih_cli_doctor *d)
{
	mih_cli_doctor_fact(d, "libfuse", "%s", mih_fs_library());
	look_at_device(d);
	look_at_helper(d);
	look_at_conf(d);
}
