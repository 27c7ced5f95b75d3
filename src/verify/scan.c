#include "verify/scan.h"
#include "sig/manifest.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Folders wait on a list, as paths, not on the call stack: a deep tree costs
 * neither stack nor descriptors. Each path is opened from the top again; those
 * that would be too long for that are too long to be signed. */
struct walk {
	const struct mih_verify_scan_rules *rules;
	struct mih_verify_scan *scan;
	const char *model; /* as the user spelled it, for messages */
	size_t room;	   /* of scan->files */
	char **folders;	   /* still to be read; owned */
	size_t nfolders, folders_room;
};

static const char *const git_paths[] = { ".git", ".gitattributes", ".github",
					 ".gitignore" };

static bool is_at_or_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return len > 0 && !strncmp(path, top, len) &&
	       (path[len] == '\0' || path[len] == '/');
}

bool mih_verify_scan_ignores(const struct mih_verify_scan_rules *rules,
			     const char *path)
{
	for (size_t i = 0; i < rules->nignore; i++)
		if (is_at_or_below(path, rules->ignore[i]))
			return true;
	for (size_t i = 0; rules->ignore_git && i < MIH_ARRAY_LEN(git_paths);
	     i++)
		if (is_at_or_below(path, git_paths[i]))
			return true;
	return false;
}

/* Make room for one more; @room doubles, so that n additions cost O(n). */
static void *grow(void *array, size_t n, size_t *room, size_t item)
{
	size_t more = *room ? 2 * *room : 64;
	void *bigger;

	if (n < *room)
		return array;
	bigger = reallocarray(array, more, item);
	if (bigger)
		*room = more;
	return bigger;
}

static mih_err add_file(struct walk *walk, char **path, uint64_t nbytes)
{
	struct mih_verify_scan *scan = walk->scan;
	struct mih_verify_scan_file *files;
	const char *why = mih_sig_name_check(*path, strlen(*path));

	if (why)
		return mih_err_fail(-EINVAL, "%s: cannot be signed: %s", *path,
				    why);
	files = grow(scan->files, scan->nfiles, &walk->room, sizeof(*files));
	if (!files)
		return mih_err_fail_errno(-ENOMEM, "%s", walk->model);
	scan->files = files;
	files[scan->nfiles++] = (struct mih_verify_scan_file){
		.path = MIH_STEAL(path),
		.nbytes = nbytes,
	};
	return 0;
}

static mih_err add_folder(struct walk *walk, char **path)
{
	char **folders = grow(walk->folders, walk->nfolders,
			      &walk->folders_room, sizeof(*folders));

	if (!folders)
		return mih_err_fail_errno(-ENOMEM, "%s", walk->model);
	walk->folders = folders;
	folders[walk->nfolders++] = MIH_STEAL(path);
	return 0;
}

/* O_PATH: looking at what a link leads to must not open a FIFO or device. */
static mih_err add_link(struct walk *walk, char **path)
{
	mih_autoclose int fd = -1;
	char text[1024];
	struct stat st;
	mih_err err;

	mih_io_link_text(walk->scan->dirfd, *path, text, sizeof(text));
	if (!walk->rules->links || !walk->rules->links->follow)
		return mih_err_fail(-ELOOP,
				    "%s: symbolic link (--allow-symlinks "
				    "takes links that stay in the model): %s",
				    *path, text);
	err = mih_io_open_beneath(walk->scan->dirfd, *path, O_PATH,
				  walk->rules->links, &fd);
	if (err == -EXDEV)
		return mih_err_fail(-ELOOP,
				    "%s: symbolic link that leads out of the "
				    "model (--symlink-root widens that): %s",
				    *path, text);
	if (!err && fstat(fd, &st) < 0)
		err = -errno;
	if (err)
		return mih_err_fail_errno(err, "%s", *path);
	if (S_ISDIR(st.st_mode))
		return mih_err_fail(-ELOOP,
				    "%s: symbolic link to a directory, which "
				    "cannot be signed",
				    *path);
	if (!S_ISREG(st.st_mode))
		return mih_err_fail(-EINVAL,
				    "%s: symbolic link to something that is "
				    "no regular file",
				    *path);
	return add_file(walk, path, (uint64_t)st.st_size);
}

/* Put what lies at @path (relative to the model) where it belongs. @dirfd and
 * @name lead to the same thing by a shorter way; @type: DT_... */
static mih_err add_entry(struct walk *walk, int dirfd, const char *name,
			 unsigned char type, char **path)
{
	struct stat st;

	if (mih_verify_scan_ignores(walk->rules, *path))
		return 0;
	if (type == DT_REG && walk->rules->names_only)
		return add_file(walk, path, 0);
	if (type == DT_DIR)
		return add_folder(walk, path);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mih_err_fail_errno(-errno, "%s", *path);
	if (S_ISREG(st.st_mode))
		return add_file(walk, path, (uint64_t)st.st_size);
	if (S_ISDIR(st.st_mode))
		return add_folder(walk, path);
	if (S_ISLNK(st.st_mode))
		return add_link(walk, path);
	return mih_err_fail(-EINVAL,
			    "%s: not a regular file, directory or link: "
			    "cannot be signed",
			    *path);
}

static void close_folder(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static mih_err open_folder(struct walk *walk, const char *folder, DIR **dir_out)
{
	mih_autoclose int fd = -1;
	mih_err err;

	err = mih_io_open_beneath(walk->scan->dirfd, *folder ? folder : ".",
				  O_RDONLY | O_DIRECTORY, NULL, &fd);
	if (err)
		return err;
	*dir_out = fdopendir(fd);
	if (!*dir_out)
		return -errno;
	(void)MIH_STEAL_FD(&fd);
	return 0;
}

/* @folder: "" for the model itself */
static mih_err read_folder(struct walk *walk, const char *folder)
{
	MIH_CLEANUP(close_folder) DIR *dir = NULL;
	mih_err err = open_folder(walk, folder, &dir);
	struct dirent *entry;

	while (!err && (errno = 0, entry = readdir(dir))) {
		mih_autofree char *path = NULL;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&path, "%s%s%s", folder, *folder ? "/" : "",
			     entry->d_name) < 0) {
			path = NULL;
			return mih_err_fail_errno(-ENOMEM, "%s", walk->model);
		}
		err = add_entry(walk, dirfd(dir), entry->d_name, entry->d_type,
				&path);
		if (err)
			return err;
	}
	if (!err)
		err = -errno;
	return err ? mih_err_fail_errno(err, "%s",
					*folder ? folder : walk->model)
		   : 0;
}

static mih_err walk_folders(struct walk *walk)
{
	mih_err err = read_folder(walk, "");

	while (!err && walk->nfolders > 0) {
		mih_autofree char *folder = walk->folders[--walk->nfolders];

		err = read_folder(walk, folder);
	}
	while (walk->nfolders > 0)
		free(walk->folders[--walk->nfolders]);
	free(walk->folders);
	return err;
}

/* UTF-8 sorts by code point when it is sorted by unsigned bytes. */
static int compare_paths(const void *a, const void *b)
{
	const struct mih_verify_scan_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* The folder that @model, a single file, lies in, and its name there. */
static mih_err open_single(const char *model, int *dirfd_out, char **single_out)
{
	mih_autofree char *for_dir = strdup(model);
	mih_autofree char *for_base = strdup(model);
	mih_autofree char *single = NULL;

	if (!for_dir || !for_base || !(single = strdup(basename(for_base))))
		return mih_err_fail_errno(-ENOMEM, "%s", model);
	*dirfd_out = open(dirname(for_dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dirfd_out < 0)
		return mih_err_fail_errno(-errno, "%s", model);
	*single_out = MIH_STEAL(&single);
	return 0;
}

/* The model itself may be a link: how it is reached is the caller's choice. */
mih_err mih_verify_scan_open(const char *model, int *dirfd_out,
			     char **single_out)
{
	struct stat st;

	*single_out = NULL;
	if (stat(model, &st) < 0)
		return mih_err_fail_errno(-errno, "%s", model);
	if (!S_ISDIR(st.st_mode))
		return open_single(model, dirfd_out, single_out);
	*dirfd_out = open(model, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *dirfd_out < 0 ? mih_err_fail_errno(-errno, "%s", model) : 0;
}

static mih_err scan_model(struct walk *walk)
{
	mih_autofree char *single = NULL;
	int *dirfd = &walk->scan->dirfd;
	mih_err err = mih_verify_scan_open(walk->model, dirfd, &single);

	if (err)
		return err;
	return single ? add_entry(walk, *dirfd, single, DT_UNKNOWN, &single)
		      : walk_folders(walk);
}

mih_err mih_verify_scan_run(const char *model,
			    const struct mih_verify_scan_rules *rules,
			    struct mih_verify_scan *scan_out)
{
	struct walk walk = {
		.rules = rules,
		.scan = scan_out,
		.model = model,
	};
	mih_err err;

	*scan_out = (struct mih_verify_scan){ .dirfd = -1 };
	err = scan_model(&walk);
	if (err) {
		mih_verify_scan_fini(scan_out);
		return err;
	}
	if (scan_out->nfiles > 0)
		qsort(scan_out->files, scan_out->nfiles,
		      sizeof(scan_out->files[0]), compare_paths);
	return 0;
}

void mih_verify_scan_fini(struct mih_verify_scan *scan)
{
	for (size_t i = 0; i < scan->nfiles; i++)
		free(scan->files[i].path);
	free(scan->files);
	mih_cleanup_close(&scan->dirfd);
	*scan = (struct mih_verify_scan){ .dirfd = -1 };
}
