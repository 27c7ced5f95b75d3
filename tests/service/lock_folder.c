/*
 * lock_folder FOLDER FILE - list FOLDER into memory that nobody provides
 *
 * The memory is a private mapping of FILE, whose server does not answer. The
 * kernel holds the lock of FOLDER until it does. Prints a line before it lists.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LEN ((size_t)65536)

static int die(const char *what)
{
	fprintf(stderr, "lock_folder: %s: %s\n", what, strerror(errno));
	return 2;
}

int main(int argc, char **argv)
{
	int folder, file;
	void *memory;

	if (argc != 3)
		return 2;
	folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (folder < 0 || file < 0)
		return die(folder < 0 ? argv[1] : argv[2]);
	memory = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	if (memory == MAP_FAILED)
		return die("mmap");
	puts("mapped");
	fflush(stdout);
	/* Whoever started us stops the server now, and says so. */
	getchar();
	puts("listing");
	fflush(stdout);
	syscall(SYS_getdents64, folder, memory, LEN);
	return 0;
}
