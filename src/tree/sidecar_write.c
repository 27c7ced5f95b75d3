#include "tree/fold.h"
#include "tree/sidecar_write_internal.h"
#include "util/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

static void cleanup_writer(struct mih_tree_writer **w)
{
	mih_tree_writer_abort(*w);
}

/* --- open ---------------------------------------------------------------- */

/* A file without a name. O_TMPFILE is not known to every file system. */
static int open_scratch(const char *dir)
{
	mih_autofree char *name = NULL;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || asprintf(&name, "%s/mihfs.XXXXXX", dir) < 0)
		return fd;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	return fd;
}

/* Not /tmp first: it may lie in memory, and the layers of a large model are
 * large. But a container may have no folder to write to at all. */
static mih_err open_anonymous(struct mih_tree_writer *w)
{
	const char *const dirs[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };

	w->anonymous = true;
	w->name = "temporary file";
	for (size_t i = 0; i < MIH_ARRAY_LEN(dirs) && w->io.fd < 0; i++)
		if (dirs[i] && *dirs[i])
			w->io.fd = open_scratch(dirs[i]);
	if (w->io.fd < 0)
		w->io.fd = memfd_create("mihfs-tree", MFD_CLOEXEC);
	return w->io.fd < 0 ? mih_tree_sc_fail(w, -errno) : 0;
}

mih_err mih_tree_writer_open(const char *path, enum mih_hash_alg alg,
			     const struct mih_tree_source *files, size_t n,
			     struct mih_tree_writer **writer_out)
{
	MIH_CLEANUP(cleanup_writer) struct mih_tree_writer *w = NULL;
	mih_err err;

	w = calloc(1, sizeof(*w));
	if (!w)
		return mih_err_fail_errno(-ENOMEM, "%s", path ? path : "tree");
	w->io.fd = -1;
	w->tree = alg;
	w->files = files;
	w->nfiles = n;
	atomic_init(&w->roots_missing, n);
	err = path ? mih_io_writer_open(&w->io, path, 0666) : open_anonymous(w);
	if (err)
		return err;
	if (path)
		w->name = w->io.path;
	err = mih_tree_sc_lay_out(w);
	if (!err)
		err = mih_tree_sc_write_index(w);
	if (err)
		return err;
	*writer_out = MIH_STEAL(&w);
	return 0;
}

/* --- digests ------------------------------------------------------------- */

static bool set_bits(_Atomic uint64_t *word, unsigned first, unsigned n)
{
	uint64_t mask = (n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1)
			<< first;

	return (atomic_fetch_or_explicit(word, mask, memory_order_relaxed) &
		mask) == 0;
}

/* Mark @n bits from @first; false if one of them was set already. */
static bool mark(_Atomic uint64_t *map, uint64_t first, uint64_t n)
{
	bool fresh = true;

	while (n > 0) {
		unsigned bit = first % 64;
		unsigned now = (unsigned)MIH_MIN(n, (uint64_t)(64 - bit));

		fresh &= set_bits(&map[first / 64], bit, now);
		first += now;
		n -= now;
	}
	return fresh;
}

static mih_err misuse(const struct mih_tree_writer *w, size_t file,
		      const char *what)
{
	const char *path = file < w->nfiles ? w->files[file].path : w->name;

	return mih_err_fail(-EINVAL, "%s: %s", path, what);
}

mih_err mih_tree_writer_put(struct mih_tree_writer *writer, size_t file,
			    uint64_t first, const uint8_t *digests, size_t n)
{
	struct mih_tree_place *p;
	uint64_t groups;
	size_t len;
	mih_err err;

	if (file >= writer->nfiles)
		return misuse(writer, file, "no such file in the tree");
	p = &writer->places[file];
	groups = mih_hash_ngroups(writer->files[file].nbytes);
	if (first > groups || n > groups - first)
		return misuse(writer, file, "group behind the end of the file");
	if (!mark(writer->groups_seen, p->group_first + first, n))
		return misuse(writer, file, "group given twice");
	len = mih_tree_sc_info(writer, file)->len;
	err = mih_io_pwrite_full(writer->io.fd, digests, n * len,
				 writer->sections[MIH_TREE_SC_FINE].off +
				     p->fine + first * len);
	if (err)
		return mih_tree_sc_fail(writer, err);
	/* Only now, so that nobody reads a layer that is not there yet. */
	atomic_fetch_sub_explicit(&p->groups_missing, n, memory_order_release);
	return 0;
}

static uint64_t nhints_of(const struct mih_tree_writer *w, size_t file)
{
	const struct mih_tree_source *source = &w->files[file];

	return source->has_hints ? mih_tree_sc_nhints(source->nbytes) : 0;
}

mih_err mih_tree_writer_put_hint(struct mih_tree_writer *writer, size_t file,
				 uint64_t i, const uint8_t state[32])
{
	struct mih_tree_place *p;
	uint64_t at;
	mih_err err;

	if (file >= writer->nfiles || i >= nhints_of(writer, file))
		return misuse(writer, file, "no room for this hint");
	p = &writer->places[file];
	at = p->hint_first + i;
	if (!mark(writer->hints_seen, at, 1))
		return misuse(writer, file, "hint given twice");
	err = mih_io_pwrite_full(writer->io.fd, state, MIH_TREE_SC_HINT_LEN,
				 writer->sections[MIH_TREE_SC_HINTS].off +
				     at * MIH_TREE_SC_HINT_LEN);
	if (err)
		return mih_tree_sc_fail(writer, err);
	atomic_fetch_sub_explicit(&p->hints_missing, 1, memory_order_release);
	return 0;
}

/* --- roots --------------------------------------------------------------- */

/* A file of one page: its root comes straight from the fine layer, because the
 * coarse node of blake3 is no root (tree/fold.h). */
static mih_err root_of_page(struct mih_tree_writer *w, size_t file,
			    uint8_t *coarse, uint8_t *root)
{
	const struct mih_hash_info *info = mih_tree_sc_info(w, file);
	uint8_t fine[MIH_TREE_PAGE_GROUPS * MIH_HASH_LEN_MAX];
	uint8_t copy[MIH_TREE_PAGE_GROUPS * MIH_HASH_LEN_MAX];
	size_t n = (size_t)mih_hash_ngroups(w->files[file].nbytes);
	mih_err err = mih_io_pread_full(w->io.fd, fine, n * info->len,
					w->sections[MIH_TREE_SC_FINE].off +
					    w->places[file].fine);

	if (err)
		return err;
	memcpy(copy, fine, n * info->len);
	mih_tree_coarsen(info->id, copy, n, MIH_TREE_PAGE_GROUPS, coarse);
	mih_tree_fold(info->id, fine, n, true, root);
	return 0;
}

/* Pages per read: 1024 groups let the upper levels fill the vector lanes. */
#define STEP_PAGES 8

/* The coarse layer of a file, from its fine layer, step by step. */
static mih_err make_coarse(struct mih_tree_writer *w, size_t file,
			   uint8_t *coarse)
{
	const struct mih_hash_info *info = mih_tree_sc_info(w, file);
	const size_t len = info->len;
	const size_t step = (size_t)STEP_PAGES * MIH_TREE_PAGE_GROUPS;
	mih_autofree uint8_t *fine = malloc(step * len);
	uint64_t left = mih_hash_ngroups(w->files[file].nbytes);
	uint64_t off = w->sections[MIH_TREE_SC_FINE].off + w->places[file].fine;

	if (!fine)
		return -ENOMEM;
	while (left > 0) {
		size_t n = (size_t)MIH_MIN(left, (uint64_t)step);
		mih_err err = mih_io_pread_full(w->io.fd, fine, n * len, off);

		if (err)
			return err;
		mih_tree_coarsen(info->id, fine, n, MIH_TREE_PAGE_GROUPS,
				 coarse);
		coarse += STEP_PAGES * len;
		off += n * len;
		left -= n;
	}
	return 0;
}

static mih_err make_root(struct mih_tree_writer *w, size_t file, uint8_t *root)
{
	const struct mih_hash_info *info = mih_tree_sc_info(w, file);
	uint64_t nbytes = w->files[file].nbytes;
	size_t n = (size_t)mih_tree_npages(nbytes) * info->len;
	mih_autofree uint8_t *coarse = malloc(n + 1);
	mih_err err;

	if (!coarse)
		return -ENOMEM;
	if (nbytes <= MIH_TREE_PAGE)
		err = n ? root_of_page(w, file, coarse, root) : 0;
	else
		err = make_coarse(w, file, coarse);
	if (!err)
		err = mih_io_pwrite_full(w->io.fd, coarse, n,
					 w->sections[MIH_TREE_SC_COARSE].off +
					     w->places[file].coarse);
	if (!err && (n == 0 || nbytes > MIH_TREE_PAGE))
		mih_tree_root(info->id, nbytes, MIH_TREE_PAGE, coarse, root);
	return err;
}

mih_err mih_tree_writer_root(struct mih_tree_writer *writer, size_t file,
			     uint8_t *root)
{
	struct mih_tree_place *p;
	mih_err err;

	if (file >= writer->nfiles)
		return misuse(writer, file, "no such file in the tree");
	p = &writer->places[file];
	if (atomic_load_explicit(&p->groups_missing, memory_order_acquire) > 0)
		return misuse(writer, file, "a group is missing");
	if (atomic_exchange(&p->has_root, true))
		return misuse(writer, file, "root taken twice");
	err = make_root(writer, file, root);
	if (err)
		return mih_tree_sc_fail(writer, err);
	atomic_fetch_sub(&writer->roots_missing, 1);
	return 0;
}

/* The opposite of mark(); other files share the words. */
static void unmark(_Atomic uint64_t *map, uint64_t first, uint64_t n)
{
	for (uint64_t bit = first; bit < first + n; bit++)
		atomic_fetch_and(&map[bit / 64], ~((uint64_t)1 << bit % 64));
}

void mih_tree_writer_forget(struct mih_tree_writer *writer, size_t file)
{
	struct mih_tree_place *p = &writer->places[file];
	uint64_t ngroups = mih_hash_ngroups(writer->files[file].nbytes);
	uint64_t nhints = nhints_of(writer, file);

	unmark(writer->groups_seen, p->group_first, ngroups);
	atomic_store(&p->groups_missing, ngroups);
	unmark(writer->hints_seen, p->hint_first, nhints);
	atomic_store(&p->hints_missing, nhints);
	if (atomic_exchange(&p->has_root, false))
		atomic_fetch_add(&writer->roots_missing, 1);
}

/* --- the end ------------------------------------------------------------- */

static mih_err write_header(const struct mih_tree_writer *w)
{
	uint8_t h[MIH_TREE_SC_H_LEN] = { 0 };
	uint8_t *row = h + MIH_TREE_SC_H_TABLE;

	memcpy(h + MIH_TREE_SC_H_MAGIC, MIH_TREE_SC_MAGIC, 8);
	mih_bytes_put32(h + MIH_TREE_SC_H_VERSION, MIH_TREE_SC_VERSION);
	mih_bytes_put64(h + MIH_TREE_SC_H_NBYTES, w->nbytes);
	mih_bytes_put64(h + MIH_TREE_SC_H_NFILES, w->nfiles);
	mih_bytes_put32(h + MIH_TREE_SC_H_NSECTIONS, MIH_TREE_SC_SECTIONS);
	for (uint32_t i = 0; i < MIH_TREE_SC_SECTIONS; i++) {
		const struct mih_tree_sc_section *s = &w->sections[i];

		mih_bytes_put32(row + MIH_TREE_SC_R_KIND, i + 1);
		mih_bytes_put64(row + MIH_TREE_SC_R_OFF, s->off);
		mih_bytes_put64(row + MIH_TREE_SC_R_NBYTES, s->nbytes);
		memcpy(row + MIH_TREE_SC_R_SUM, s->sum, sizeof(s->sum));
		row += MIH_TREE_SC_R_LEN;
	}
	mih_tree_sc_put_sum(h + MIH_TREE_SC_H_SUM,
			    XXH3_128bits(h, MIH_TREE_SC_H_SUM));
	return mih_io_pwrite_full(w->io.fd, h, sizeof(h), 0);
}

/* Layers came in any order, so their checksums need this pass over them. */
static mih_err sum_layers(struct mih_tree_writer *w)
{
	for (int i = MIH_TREE_SC_COARSE; i <= MIH_TREE_SC_HINTS; i++) {
		struct mih_tree_sc_section *s = &w->sections[i];
		mih_err err =
		    mih_tree_sc_sum_file(w->io.fd, s->off, s->nbytes, s->sum);

		if (err)
			return err;
	}
	return 0;
}

static mih_err check_complete(const struct mih_tree_writer *w)
{
	if (atomic_load(&w->roots_missing) > 0)
		return misuse(w, w->nfiles, "a file has no root yet");
	for (size_t i = 0; i < w->nfiles; i++)
		if (atomic_load(&w->places[i].hints_missing) > 0)
			return misuse(w, i, "a hint is missing");
	return 0;
}

mih_err mih_tree_writer_finish(struct mih_tree_writer *writer)
{
	MIH_CLEANUP(cleanup_writer) struct mih_tree_writer *w = writer;
	mih_err err = check_complete(w);

	if (err || w->anonymous)
		return err;
	err = sum_layers(w);
	if (!err)
		err = write_header(w);
	if (err)
		return mih_tree_sc_fail(w, err);
	return mih_io_writer_commit(&w->io);
}

void mih_tree_writer_abort(struct mih_tree_writer *writer)
{
	if (!writer)
		return;
	if (writer->anonymous)
		mih_cleanup_close(&writer->io.fd);
	else
		mih_io_writer_abort(&writer->io);
	free(writer->places);
	free(writer->groups_seen);
	free(writer->hints_seen);
	free(writer);
}
