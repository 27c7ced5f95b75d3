#include "util/host/node.h"
#include "util/cleanup.h"
#include "util/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096

/* A small file of sysfs, without its last newline; to be freed. */
static char *read_text(const char *path)
{
	char *text;
	size_t len;

	if (mih_io_read_file(path, TEXT_MAX, &text, &len))
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* One number below CPU_SETSIZE; *at is moved behind it. */
static bool read_number(const char **at, unsigned long *number_out)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*number_out = strtoul(*at, &end, 10);
	*at = end;
	return *number_out < CPU_SETSIZE;
}

/* "0-15,32-47" */
static bool read_list(const char *at, cpu_set_t *set_out)
{
	CPU_ZERO(set_out);
	for (;;) {
		unsigned long from, to;

		if (!read_number(&at, &from))
			return false;
		to = from;
		if (*at == '-') {
			at++;
			if (!read_number(&at, &to))
				return false;
		}
		for (unsigned long i = from; i <= to; i++)
			CPU_SET(i, set_out);
		if (!*at)
			return true;
		if (*at++ != ',')
			return false;
	}
}

static bool read_set(const char *path, cpu_set_t *set_out)
{
	mih_autofree char *text = read_text(path);

	return text && read_list(text, set_out);
}

static bool read_node(const char *sys, const char *pci, unsigned long *node_out)
{
	mih_autofree char *text = NULL;
	const char *at;
	char path[256];

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/numa_node", sys,
		 pci);
	at = text = read_text(path);
	return text && read_number(&at, node_out) && !*at;
}

bool mih_node_cpus(const char *sys, const char *pci, cpu_set_t *cpus_out)
{
	cpu_set_t nodes;
	unsigned long node;
	char path[256];

	sys = sys ? sys : "/sys";
	if (!*pci || strchr(pci, '/') || !read_node(sys, pci, &node))
		return false;
	snprintf(path, sizeof(path), "%s/devices/system/node/online", sys);
	if (!read_set(path, &nodes) || CPU_COUNT(&nodes) < 2)
		return false;
	snprintf(path, sizeof(path), "%s/devices/system/node/node%lu/cpulist",
		 sys, node);
	return read_set(path, cpus_out);
}

bool mih_node_stay(const cpu_set_t *cpus)
{
	cpu_set_t mine;

	if (sched_getaffinity(0, sizeof(mine), &mine) < 0)
		return false;
	CPU_AND(&mine, &mine, cpus);
	return CPU_COUNT(&mine) > 0 &&
	       sched_setaffinity(0, sizeof(mine), &mine) == 0;
}
