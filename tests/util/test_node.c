/* Nodes and devices, as made-up files of /sys tell them. */
#include "util/host/node.h"

#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define GPU "0000:3b:00.0"

static char top[64];

/* All folders of its name are made. */
static void write_text(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	for (char *at = path + strlen(top) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(path, 0700);
		*at = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void describe(const char *node, const char *online, const char *cpulist)
{
	write_text("bus/pci/devices/" GPU "/numa_node", node);
	write_text("devices/system/node/online", online);
	write_text("devices/system/node/node1/cpulist", cpulist);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(top, "/tmp/mihfs-node.XXXXXX");
	assert_non_null(mkdtemp(top));
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static void test_cpus_of_the_devices_node(void **state)
{
	cpu_set_t cpus;

	(void)state;
	describe("1\n", "0-1\n", "8-11,40\n");
	assert_true(mih_node_cpus(top, GPU, &cpus));
	assert_int_equal(CPU_COUNT(&cpus), 5);
	for (int i = 8; i <= 11; i++)
		assert_true(CPU_ISSET(i, &cpus));
	assert_true(CPU_ISSET(40, &cpus));
}

static void test_one_node_is_no_place(void **state)
{
	cpu_set_t cpus;

	(void)state;
	describe("1\n", "1\n", "0-15\n");
	assert_false(mih_node_cpus(top, GPU, &cpus));
}

static void test_unknown_is_no_place(void **state)
{
	static const char *const bad[] = {
		"", "-\n", "3-\n", "1,,2\n", "0-99999999999999999999\n", "x\n"
	};
	cpu_set_t cpus;

	(void)state;
	describe("-1\n", "0-1\n", "0-15\n");
	assert_false(mih_node_cpus(top, GPU, &cpus));
	describe("1\n", "0-1\n", "0-15\n");
	assert_true(mih_node_cpus(top, GPU, &cpus));
	assert_false(mih_node_cpus(top, "0000:ff:00.0", &cpus));
	assert_false(mih_node_cpus(top, "", &cpus));
	assert_false(mih_node_cpus(top, "../devices/" GPU, &cpus));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		describe("1\n", "0-1\n", bad[i]);
		assert_false(mih_node_cpus(top, GPU, &cpus));
	}
}

static void test_a_thread_stays_where_it_may(void **state)
{
	cpu_set_t before, one, none, now;
	int first = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	while (!CPU_ISSET(first, &before))
		first++;
	CPU_ZERO(&none);
	CPU_SET(CPU_SETSIZE - 1, &none);
	assert_false(mih_node_stay(&none));
	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	assert_true(CPU_EQUAL(&now, &before));
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	CPU_SET(CPU_SETSIZE - 1, &one);
	assert_true(mih_node_stay(&one));
	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	assert_int_equal(CPU_COUNT(&now), 1);
	assert_true(CPU_ISSET(first, &now));
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_cpus_of_the_devices_node),
		CASE(test_one_node_is_no_place),
		CASE(test_unknown_is_no_place),
		CASE(test_a_thread_stays_where_it_may),
	};

	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
