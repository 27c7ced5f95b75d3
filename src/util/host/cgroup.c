#include "util/host/cgroup.h"
#include "util/checked.h"
#include "util/cleanup.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Version 1 says "none" by the largest number of pages. */
#define NO_LIMIT ((uint64_t)1 << 60)

/* One version of control groups. */
struct kind {
	const char *controller; /* in /proc/PID/cgroup; "" for version 2 */
	const char *type;	/* of its file system */
	const char *file;
};

static const struct kind kinds[] = {
	{ "", "cgroup2", "memory.max" },
	{ "memory", "cgroup", "memory.limit_in_bytes" },
};

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list) {
		if (!strncmp(list, word, len) &&
		    (list[len] == ',' || !list[len]))
			return true;
		list = strchr(list, ',');
		list += list != NULL;
	}
	return false;
}

static void chomp(char *line)
{
	line[strcspn(line, "\n")] = '\0';
}

/* Call @see for each line until it has found what it looks for. */
static bool search(const char *path, bool (*see)(char *line, void *context),
		   void *context)
{
	FILE *f = fopen(path, "re");
	mih_autofree char *line = NULL;
	size_t room = 0;
	bool found = false;

	if (!f)
		return false;
	while (!found && getline(&line, &room, f) > 0) {
		chomp(line);
		found = see(line, context);
	}
	fclose(f);
	return found;
}

struct group {
	const struct kind *kind;
	char path[PATH_MAX];  /* of the group, as the kernel names it */
	char mount[PATH_MAX]; /* where its tree is mounted */
	char root[PATH_MAX];  /* and which group that is */
};

/* "4:memory,blkio:/pods/pod1", "0::/pods/pod1" */
static bool see_cgroup(char *line, void *context)
{
	struct group *g = context;
	char *controllers = strchr(line, ':'), *path;

	path = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!path)
		return false;
	*path++ = '\0';
	controllers++;
	if (*g->kind->controller ? !has_word(controllers, g->kind->controller)
				 : *controllers != '\0')
		return false;
	snprintf(g->path, sizeof(g->path), "%s", path);
	return true;
}

/* "ID PARENT MAJ:MIN ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE SUPER" */
static bool see_mount(char *line, void *context)
{
	struct group *g = context;
	char *rest = strstr(line, " - "), type[32], super[512];

	if (!rest || sscanf(rest, " - %31s %*s %511s", type, super) != 2 ||
	    strcmp(type, g->kind->type) != 0 ||
	    (*g->kind->controller && !has_word(super, g->kind->controller)))
		return false;
	return sscanf(line, "%*s %*s %*s %4095s %4095s", g->root, g->mount) ==
	       2;
}

static bool read_limit(const char *dir, const char *file, uint64_t *limit_out)
{
	char path[2 * PATH_MAX + 32];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fscanf(f, "%20" SCNu64, limit_out); /* "max" is no number */
	fclose(f);
	return n == 1 && *limit_out < NO_LIMIT;
}

/* In a container the tree may be mounted from a group of its own on, and a
 * group outside of it is told as "/../..": then the mount is all there is. */
static const char *below_root(const struct group *g)
{
	size_t len = strcmp(g->root, "/") ? strlen(g->root) : 0;

	if (strncmp(g->path, g->root, len) != 0 ||
	    (g->path[len] && g->path[len] != '/') || strstr(g->path, "/.."))
		return "";
	return g->path + len;
}

/* From the group of the process up to what is mounted. */
static bool least_limit(const struct group *g, uint64_t *limit_out)
{
	char dir[2 * PATH_MAX];
	size_t least = strlen(g->mount);
	bool found = false;

	snprintf(dir, sizeof(dir), "%s%s", g->mount, below_root(g));
	for (;;) {
		uint64_t limit;

		if (read_limit(dir, g->kind->file, &limit) &&
		    (!found || limit < *limit_out)) {
			*limit_out = limit;
			found = true;
		}
		if (strlen(dir) <= least)
			return found;
		*strrchr(dir, '/') = '\0';
	}
}

bool mih_cgroup_memory_limit(const struct mih_cgroup_files *files,
			     uint64_t *limit_out)
{
	static const struct mih_cgroup_files ours = { "/proc/self/cgroup",
						      "/proc/self/mountinfo" };
	bool found = false;

	if (!files)
		files = &ours;
	for (size_t i = 0; i < MIH_ARRAY_LEN(kinds); i++) {
		mih_autofree struct group *g = calloc(1, sizeof(*g));
		uint64_t limit;

		if (!g)
			return found;
		g->kind = &kinds[i];
		if (!search(files->cgroup, see_cgroup, g) ||
		    !search(files->mountinfo, see_mount, g) ||
		    !least_limit(g, &limit))
			continue;
		if (!found || limit < *limit_out)
			*limit_out = limit;
		found = true;
	}
	return found;
}
