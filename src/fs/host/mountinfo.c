#include "fs/host/mountinfo.h"
#include "util/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Undo the \040 that stands for a blank, in place. */
static void unescape(char *text)
{
	char *out = text;

	for (char *in = text; *in; in++) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' &&
		    in[2] >= '0' && in[2] <= '7' && in[3] >= '0' &&
		    in[3] <= '7') {
			*out++ = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 +
					(in[3] - '0'));
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
}

static void copy_field(char *field, char *to, size_t cap)
{
	if (field)
		unescape(field);
	snprintf(to, cap, "%s", field ? field : "");
}

/* "ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE SUPER"
 * Source: proc_pid_mountinfo(5). */
static bool parse_line(char *line, struct mih_fs_mounted *mounted)
{
	char *save = NULL, *rest = strstr(line, " - "), *field = NULL;
	unsigned major = 0, minor = 0;

	if (!rest)
		return false;
	*rest = '\0';
	rest += 3;
	for (int i = 0; i < 5; i++) {
		field = strtok_r(i ? NULL : line, " ", &save);
		if (i == 2 && field)
			sscanf(field, "%u:%u", &major, &minor);
	}
	if (!field)
		return false;
	mounted->dev = makedev(major, minor);
	copy_field(field, mounted->path, sizeof(mounted->path));
	copy_field(strtok_r(rest, " ", &save), mounted->type,
		   sizeof(mounted->type));
	copy_field(strtok_r(NULL, " ", &save), mounted->source,
		   sizeof(mounted->source));
	return true;
}

mih_err mih_fs_mountinfo_each(bool (*see)(const struct mih_fs_mounted *mounted,
					  void *context),
			      void *context)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct mih_fs_mounted mounted;
	mih_autofree char *line = NULL;
	size_t room = 0;

	if (!f)
		return mih_err_fail_errno(-errno, "/proc/self/mountinfo");
	while (getline(&line, &room, f) > 0)
		if (parse_line(line, &mounted) && !see(&mounted, context))
			break;
	fclose(f);
	return 0;
}

struct search {
	const char *path;
	struct mih_fs_mounted *mounted;
	bool found;
};

/* Later lines are mounted over earlier ones. */
static bool see_path(const struct mih_fs_mounted *mounted, void *context)
{
	struct search *search = context;

	if (!strcmp(mounted->path, search->path)) {
		*search->mounted = *mounted;
		search->found = true;
	}
	return true;
}

bool mih_fs_mountinfo_find(const char *path, struct mih_fs_mounted *mounted)
{
	struct search search = { .path = path, .mounted = mounted };

	return mih_fs_mountinfo_each(see_path, &search) == 0 && search.found;
}
