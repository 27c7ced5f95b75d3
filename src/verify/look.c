#include "verify/look.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/host/thread.h"
#include "util/pool.h"

#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#define SHARE	 512 /* paths that a thread takes at a time */
#define PER_CORE 4   /* threads: some wait for a disk */

struct party {
	int dirfd;
	const struct mih_io_links *links;
	struct mih_verify_look *looks;
	size_t n;
	atomic_size_t next; /* share to be taken */
};

/* The folder of the last path, kept open: most paths have a neighbour. */
struct folder {
	int fd;		/* owned; -1: none is open */
	size_t len;	/* of its path, which is how many bytes of */
	const char *at; /* this one (borrowed) */
};

static void take_stat(struct mih_verify_look *look, const struct stat *st)
{
	look->err = S_ISREG(st->st_mode) ? 0 : -EINVAL;
	look->nbytes = (uint64_t)st->st_size;
}

/* By the whole path, and through links where they may be. O_PATH: a look must
 * not open a FIFO or a device. */
static void look_from_top(const struct party *party,
			  struct mih_verify_look *look)
{
	mih_autoclose int fd = -1;
	struct stat st;

	look->err = mih_io_open_beneath(party->dirfd, look->path, O_PATH,
					party->links, &fd);
	if (!look->err && fstat(fd, &st) < 0)
		look->err = -errno;
	if (!look->err)
		take_stat(look, &st);
}

/* The folder that the first @len bytes of @path name. */
static bool enter(const struct party *party, struct folder *folder,
		  const char *path, size_t len)
{
	char name[PATH_MAX];

	if (folder->fd >= 0 && folder->len == len &&
	    !memcmp(folder->at, path, len))
		return true;
	mih_cleanup_close(&folder->fd);
	folder->fd = -1;
	if (len >= sizeof(name))
		return false;
	memcpy(name, path, len);
	name[len] = '\0';
	folder->len = len;
	folder->at = path;
	return !mih_io_open_beneath(party->dirfd, len ? name : ".",
				    O_PATH | O_DIRECTORY, party->links,
				    &folder->fd);
}

static void look_at(const struct party *party, struct folder *folder,
		    struct mih_verify_look *look)
{
	const char *slash, *name;
	struct stat st;

	if (!look->path) {
		look->err = -ENOENT;
		return;
	}
	slash = strrchr(look->path, '/');
	name = slash ? slash + 1 : look->path;
	/* Links, and whatever is wrong, are for the thorough way to judge. */
	if (!strcmp(name, "..") ||
	    !enter(party, folder, look->path,
		   slash ? (size_t)(slash - look->path) : 0) ||
	    fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    S_ISLNK(st.st_mode))
		look_from_top(party, look);
	else
		take_stat(look, &st);
}

static void look_around(void *context)
{
	struct party *party = context;
	struct folder folder = { .fd = -1 };
	size_t from;

	while ((from = SHARE * atomic_fetch_add(&party->next, 1)) < party->n)
		for (size_t i = from; i < MIH_MIN(from + SHARE, party->n); i++)
			look_at(party, &folder, &party->looks[i]);
	mih_cleanup_close(&folder.fd);
}

void mih_verify_look_run(int dirfd, const struct mih_io_links *links,
			 struct mih_verify_look *looks, size_t n)
{
	struct party party = {
		.dirfd = dirfd, .links = links, .looks = looks, .n = n
	};
	size_t nthreads = MIH_MIN(n / SHARE, PER_CORE * mih_pool_cores());

	if (nthreads > 1)
		mih_thread_crew("mihfs-look", nthreads, look_around, &party);
	else
		look_around(&party);
}
