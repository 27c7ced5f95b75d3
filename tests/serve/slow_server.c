/*
 * A folder behind a network that answers late: a file system which passes it
 * through, read-only, and sleeps before each read. The sleeps overlap.
 *
 *     slow_server DIR MOUNTPOINT MS
 *
 * Stays in the foreground; says "ready" when it is mounted, and, when it ends,
 * how many reads there were and how many of them at most at the same time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define THREADS "max_threads=256"
#define OVERLAP 256 /* reads ahead that the kernel may send at once */

static int root = -1;
static struct timespec delay;
static atomic_int reads, asleep, most;

/* Relative to the folder. */
static const char *below(const char *path)
{
	return path[1] ? path + 1 : ".";
}

static void *begin(struct fuse_conn_info *conn, struct fuse_config *config)
{
	(void)config;
	conn->max_background = OVERLAP;
	conn->congestion_threshold = OVERLAP;
	puts("ready");
	fflush(stdout);
	return NULL;
}

static int get_attributes(const char *path, struct stat *st,
			  struct fuse_file_info *fi)
{
	(void)fi;
	return fstatat(root, below(path), st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno
								       : 0;
}

static int list(const char *path, void *buf, fuse_fill_dir_t fill, off_t off,
		struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	int fd = openat(root, below(path), O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	(void)off, (void)fi, (void)flags;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		fill(buf, entry->d_name, NULL, 0, 0);
	closedir(dir);
	return 0;
}

static int open_file(const char *path, struct fuse_file_info *fi)
{
	int fd = openat(root, below(path), O_RDONLY);

	if (fd < 0)
		return -errno;
	fi->fh = (uint64_t)fd;
	return 0;
}

static int close_file(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	close((int)fi->fh);
	return 0;
}

static int read_late(const char *path, char *buf, size_t len, off_t off,
		     struct fuse_file_info *fi)
{
	int n = atomic_fetch_add(&asleep, 1) + 1, before = atomic_load(&most);
	ssize_t got;

	(void)path;
	atomic_fetch_add(&reads, 1);
	while (n > before && !atomic_compare_exchange_weak(&most, &before, n))
		;
	nanosleep(&delay, NULL);
	got = pread((int)fi->fh, buf, len, off);
	atomic_fetch_sub(&asleep, 1);
	return got < 0 ? -errno : (int)got;
}

static const struct fuse_operations operations = {
	.init = begin,
	.getattr = get_attributes,
	.readdir = list,
	.open = open_file,
	.release = close_file,
	.read = read_late,
};

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	long ms;
	int rc;

	if (argc != 4)
		return 2;
	root = open(argv[1], O_RDONLY | O_DIRECTORY);
	ms = strtol(argv[3], NULL, 10);
	delay = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
	if (root < 0) {
		perror(argv[1]);
		return 3;
	}
	if (fuse_opt_add_arg(&args, argv[0]) < 0 ||
	    fuse_opt_add_arg(&args, "-f") < 0 ||
	    fuse_opt_add_arg(&args, "-oro," THREADS) < 0 ||
	    fuse_opt_add_arg(&args, argv[2]) < 0)
		return 3;
	rc = fuse_main(args.argc, args.argv, &operations, NULL);
	fuse_opt_free_args(&args);
	printf("%d reads, %d at once\n", reads, most);
	return rc;
}
