#include "util/host/node.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX 4096

/* A small file of sysfs, without its last newline. */
static bool read_text(char text[TEXT_MAX], const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, TEXT_MAX - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
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
	char text[TEXT_MAX];

	return read_text(text, path) && read_list(text, set_out);
}

static bool read_node(const char *sys, const char *pci, unsigned long *node_out)
{
	char path[256], text[TEXT_MAX];
	const char *at = text;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/numa_node", sys,
		 pci);
	return read_text(text, path) && read_number(&at, node_out) && !*at;
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
