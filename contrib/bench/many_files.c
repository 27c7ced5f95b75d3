/*
 * Many small files, for measuring what a file costs beside its bytes.
 *
 *     many_files N DIR     makes DIR/part-000000/item-000000000.txt ...
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER 300 /* files in each folder */

static void die(const char *path)
{
	fprintf(stderr, "many_files: %s: %s\n", path, strerror(errno));
	exit(1);
}

static void make_folder(const char *dir, size_t i)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/part-%06zu", dir, i);
	if (mkdir(path, 0777) < 0)
		die(path);
}

static void make_file(const char *dir, size_t i)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/part-%06zu/item-%09zu.txt", dir,
		 i / FOLDER, i);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0666);
	if (fd < 0 || dprintf(fd, "line %zu\n", i) < 0 || close(fd) < 0)
		die(path);
}

int main(int argc, char **argv)
{
	size_t n;

	if (argc != 3) {
		fprintf(stderr, "usage: many_files N DIR\n");
		return 2;
	}
	n = strtoull(argv[1], NULL, 10);
	if (mkdir(argv[2], 0777) < 0)
		die(argv[2]);
	for (size_t i = 0; i < n; i++) {
		if (i % FOLDER == 0)
			make_folder(argv[2], i / FOLDER);
		make_file(argv[2], i);
	}
	return 0;
}
