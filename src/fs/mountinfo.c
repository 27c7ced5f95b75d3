#include "fs/fs_internal.h"
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

/* "ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE SUPER"
 * Source: proc_pid_mountinfo(5). */
static bool parse_line(char *line, const char *path,
		       struct mih_fs_mounted *mounted)
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
	unescape(field);
	if (strcmp(field, path) != 0)
		return false;
	mounted->dev = makedev(major, minor);
	field = strtok_r(rest, " ", &save);
	snprintf(mounted->type, sizeof(mounted->type), "%s",
		 field ? field : "");
	field = strtok_r(NULL, " ", &save);
	if (field)
		unescape(field);
	snprintf(mounted->source, sizeof(mounted->source), "%s",
		 field ? field : "");
	return true;
}

bool mih_fs_mountinfo_find(const char *path, struct mih_fs_mounted *mounted)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	mih_autofree char *line = NULL;
	bool found = false;
	size_t room = 0;

	if (!f)
		return false;
	/* Later lines are mounted over earlier ones. */
	while (getline(&line, &room, f) > 0)
		if (parse_line(line, path, mounted))
			found = true;
	fclose(f);
	return found;
}
