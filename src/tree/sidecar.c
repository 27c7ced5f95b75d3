#include "tree/sidecar.h"
#include "tree/sidecar_format_internal.h"
#include "util/cleanup.h"
#include "util/io.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

/* The checksums of a sidecar are looked at for a better message alone, and a
 * hole of any size is made in no time: up to here it is worth reading. */
#define DIAGNOSE_MAX ((uint64_t)256 << 20)

struct mih_tree_sidecar {
	int fd;	    /* owned; -1 when closed */
	char *name; /* for stories; owned */
	uint64_t nfiles;
	uint8_t *index; /* private copy: nfiles entries; owned */
	char *paths;	/* private copy; owned */
	uint8_t header[MIH_TREE_SC_H_LEN];
	struct mih_tree_sc_section sections[MIH_TREE_SC_SECTIONS];
};

static void cleanup_sidecar(struct mih_tree_sidecar **sc)
{
	mih_tree_sidecar_close(*sc);
}

static mih_err cut_short(const struct mih_tree_sidecar *sc, uint64_t nbytes)
{
	return mih_err_fail(MIH_EFORMAT,
			    "%s: sidecar is cut short at %" PRIu64 " bytes",
			    sc->name, nbytes);
}

static mih_err damaged(const struct mih_tree_sidecar *sc, const char *what)
{
	return mih_err_fail(MIH_EFORMAT,
			    "%s: sidecar is damaged: checksum of its %s "
			    "differs",
			    sc->name, what);
}

static mih_err malformed(const struct mih_tree_sidecar *sc, const char *what)
{
	return mih_err_fail(MIH_EFORMAT, "%s: malformed sidecar: %s", sc->name,
			    what);
}

static bool sum_fits(const void *data, size_t nbytes, const uint8_t *sum)
{
	uint8_t got[MIH_TREE_SC_SUM_LEN];

	mih_tree_sc_put_sum(got, XXH3_128bits(data, nbytes));
	return memcmp(got, sum, sizeof(got)) == 0;
}

/* Version before checksum: another version may keep its checksum elsewhere,
 * and "unknown version" is then the truth. */
static mih_err check_header(const struct mih_tree_sidecar *sc)
{
	const uint8_t *h = sc->header;
	uint32_t version = mih_bytes_get32(h + MIH_TREE_SC_H_VERSION);

	if (memcmp(h + MIH_TREE_SC_H_MAGIC, MIH_TREE_SC_MAGIC, 8) != 0)
		return mih_err_fail(MIH_EFORMAT, "%s: not a mihfs sidecar",
				    sc->name);
	if (version != MIH_TREE_SC_VERSION)
		return mih_err_fail(MIH_EFORMAT,
				    "%s: unknown sidecar version %" PRIu32
				    ", this mihfs knows version %d",
				    sc->name, version, MIH_TREE_SC_VERSION);
	if (!sum_fits(h, MIH_TREE_SC_H_SUM, h + MIH_TREE_SC_H_SUM))
		return damaged(sc, "header");
	if (mih_bytes_get32(h + MIH_TREE_SC_H_FLAGS) != 0)
		return malformed(sc, "unknown flags");
	if (mih_bytes_get32(h + MIH_TREE_SC_H_NSECTIONS) !=
		MIH_TREE_SC_SECTIONS ||
	    mih_bytes_get32(h + MIH_TREE_SC_H_ZERO) != 0)
		return malformed(sc, "unknown sections");
	return 0;
}

/* Sections must follow each other without holes or overlaps, so one pass that
 * predicts each offset checks them all. */
static mih_err check_sections(struct mih_tree_sidecar *sc, uint64_t nbytes)
{
	const uint8_t *row = sc->header + MIH_TREE_SC_H_TABLE;
	uint64_t end = MIH_TREE_SC_H_LEN, off;

	for (uint32_t i = 0; i < MIH_TREE_SC_SECTIONS; i++) {
		struct mih_tree_sc_section *s = &sc->sections[i];

		s->off = mih_bytes_get64(row + MIH_TREE_SC_R_OFF);
		s->nbytes = mih_bytes_get64(row + MIH_TREE_SC_R_NBYTES);
		memcpy(s->sum, row + MIH_TREE_SC_R_SUM, sizeof(s->sum));
		if (mih_bytes_get32(row + MIH_TREE_SC_R_KIND) != i + 1 ||
		    mih_bytes_get32(row + MIH_TREE_SC_R_ZERO) != 0)
			return malformed(sc, "unknown section");
		if (!mih_tree_sc_align(end, &off) || s->off != off ||
		    !mih_checked_add(s->off, s->nbytes, &end))
			return malformed(sc, "section out of place");
		row += MIH_TREE_SC_R_LEN;
	}
	if (mih_bytes_get64(sc->header + MIH_TREE_SC_H_NBYTES) != end)
		return malformed(sc, "length differs from its sections");
	if (nbytes < end)
		return cut_short(sc, nbytes);
	if (nbytes > end)
		return malformed(sc, "bytes behind its end");
	return 0;
}

/* Before anything of that size is allocated: nobody has vouched for it. */
static mih_err check_counts(struct mih_tree_sidecar *sc,
			    const struct mih_tree_sidecar_limits *limits)
{
	uint64_t index, paths = sc->sections[MIH_TREE_SC_PATHS].nbytes;

	sc->nfiles = mih_bytes_get64(sc->header + MIH_TREE_SC_H_NFILES);
	if (sc->nfiles > MIH_TREE_SC_NFILES_MAX ||
	    paths > MIH_TREE_SC_PATHS_MAX)
		return malformed(sc, "too many files");
	if (limits &&
	    (sc->nfiles > limits->nfiles || paths > limits->paths_nbytes))
		return mih_err_fail(MIH_EFORMAT,
				    "%s: sidecar lists more files than the "
				    "model has",
				    sc->name);
	if (!mih_checked_mul(sc->nfiles, MIH_TREE_SC_E_LEN, &index) ||
	    index != sc->sections[MIH_TREE_SC_INDEX].nbytes)
		return malformed(sc, "index differs from the number of files");
	return 0;
}

static mih_err read_failed(const struct mih_tree_sidecar *sc, mih_err err,
			   uint64_t nbytes)
{
	if (err == -ENODATA)
		return cut_short(sc, nbytes);
	return mih_err_fail_errno(err, "%s", sc->name);
}

/* Copy a section and hold the copy, not the file, against its checksum: what
 * was checked is what is used, whoever writes to the file meanwhile. */
static mih_err load_section(const struct mih_tree_sidecar *sc,
			    enum mih_tree_sc_kind kind, void *buf_out)
{
	static const char *const names[] = { "index", "paths" };
	const struct mih_tree_sc_section *s = &sc->sections[kind];
	mih_autofree uint8_t *buf = malloc((size_t)s->nbytes + 1);
	mih_err err;

	if (!buf)
		return mih_err_fail_errno(-ENOMEM, "%s", sc->name);
	err = mih_io_pread_full(sc->fd, buf, (size_t)s->nbytes, s->off);
	if (err)
		return read_failed(sc, err, s->off + s->nbytes);
	if (!sum_fits(buf, (size_t)s->nbytes, s->sum))
		return damaged(sc, names[kind]);
	*(void **)buf_out = MIH_STEAL(&buf);
	return 0;
}

static mih_err load(struct mih_tree_sidecar *sc,
		    const struct mih_tree_sidecar_limits *limits)
{
	struct stat st;
	mih_err err;

	if (fstat(sc->fd, &st) < 0)
		return mih_err_fail_errno(-errno, "%s", sc->name);
	if (!S_ISREG(st.st_mode))
		return mih_err_fail(MIH_EFORMAT, "%s: not a regular file",
				    sc->name);
	err = mih_io_pread_full(sc->fd, sc->header, sizeof(sc->header), 0);
	if (err)
		return read_failed(sc, err, (uint64_t)st.st_size);
	err = check_header(sc);
	if (!err)
		err = check_sections(sc, (uint64_t)st.st_size);
	if (!err)
		err = check_counts(sc, limits);
	if (!err)
		err = load_section(sc, MIH_TREE_SC_INDEX, &sc->index);
	if (!err)
		err = load_section(sc, MIH_TREE_SC_PATHS, &sc->paths);
	return err;
}

mih_err mih_tree_sidecar_open(const char *path,
			      const struct mih_tree_sidecar_limits *limits,
			      struct mih_tree_sidecar **sidecar_out)
{
	MIH_CLEANUP(cleanup_sidecar) struct mih_tree_sidecar *sc = NULL;
	mih_err err;

	sc = calloc(1, sizeof(*sc));
	if (!sc)
		return mih_err_fail_errno(-ENOMEM, "%s", path);
	/* Not to hang on a FIFO that somebody put there. */
	sc->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (sc->fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (sc->fd < 0)
		return mih_err_fail_errno(-errno, "%s", path);
	sc->name = strdup(path);
	if (!sc->name)
		return mih_err_fail_errno(-ENOMEM, "%s", path);
	err = load(sc, limits);
	if (err)
		return err;
	*sidecar_out = MIH_STEAL(&sc);
	return 0;
}

void mih_tree_sidecar_close(struct mih_tree_sidecar *sidecar)
{
	if (!sidecar)
		return;
	mih_cleanup_close(&sidecar->fd);
	free(sidecar->name);
	free(sidecar->index);
	free(sidecar->paths);
	free(sidecar);
}

static mih_err bad_entry(const struct mih_tree_sidecar *sc, const char *path,
			 const char *what)
{
	return mih_err_fail(MIH_EFORMAT, "%s: entry of '%s' %s", sc->name, path,
			    what);
}

struct wanted {
	const char *path;
	size_t len;
	uint64_t hash;
};

/* <0, 0, >0: where @w stands in the index relative to entry @e. An entry
 * whose path lies outside the section equals nothing. */
static int compare(const struct mih_tree_sidecar *sc, const uint8_t *e,
		   const struct wanted *w)
{
	uint64_t at = mih_bytes_get64(e + MIH_TREE_SC_E_HASH);
	uint64_t off = mih_bytes_get64(e + MIH_TREE_SC_E_PATH), end;
	uint32_t elen = mih_bytes_get32(e + MIH_TREE_SC_E_PATHLEN);

	if (w->hash != at)
		return w->hash < at ? -1 : 1;
	if (!mih_checked_add(off, elen, &end) ||
	    end > sc->sections[MIH_TREE_SC_PATHS].nbytes)
		return 1;
	return mih_tree_sc_path_cmp(w->path, w->len, sc->paths + off, elen);
}

static const uint8_t *search(const struct mih_tree_sidecar *sc,
			     const char *path)
{
	struct wanted w = { .path = path, .len = strlen(path) };
	size_t lo = 0, hi = (size_t)sc->nfiles;

	w.hash = mih_tree_sc_hash(path, w.len);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const uint8_t *e = sc->index + mid * MIH_TREE_SC_E_LEN;
		int cmp = compare(sc, e, &w);

		if (cmp == 0)
			return e;
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* Turn the stored offset @field into one of the sidecar, if the @nbytes there
 * lie inside their section. */
static bool place(const struct mih_tree_sidecar *sc, const uint8_t *field,
		  enum mih_tree_sc_kind kind, uint64_t nbytes,
		  uint64_t *off_out)
{
	const struct mih_tree_sc_section *s = &sc->sections[kind];
	uint64_t off = mih_bytes_get64(field), end;

	if (!mih_checked_add(off, nbytes, &end) || end > s->nbytes)
		return false;
	*off_out = s->off + off;
	return true;
}

mih_err mih_tree_sidecar_find(const struct mih_tree_sidecar *sidecar,
			      const char *path, enum mih_hash_alg alg,
			      uint64_t nbytes, struct mih_tree_entry *entry_out)
{
	const struct mih_hash_info *info = mih_hash_info(alg);
	const uint8_t *e = search(sidecar, path);
	struct mih_tree_entry entry = { .alg = alg, .nbytes = nbytes };
	uint64_t hints = 0;
	unsigned flags;

	if (!e)
		return -ENOENT;
	flags = e[MIH_TREE_SC_E_FLAGS] | e[MIH_TREE_SC_E_FLAGS + 1] << 8;
	entry.has_hints = flags & MIH_TREE_SC_FLAG_HINTS;
	if (entry.has_hints)
		hints = mih_tree_sc_nhints(nbytes) * MIH_TREE_SC_HINT_LEN;
	if (flags & ~MIH_TREE_SC_FLAG_HINTS ||
	    mih_bytes_get64(e + MIH_TREE_SC_E_ZERO) != 0)
		return bad_entry(sidecar, path, "has unknown flags");
	if (!info || !info->is_tree ||
	    (e[MIH_TREE_SC_E_ALG] | e[MIH_TREE_SC_E_ALG + 1] << 8) != (int)alg)
		return bad_entry(sidecar, path, "is of another tree algorithm");
	if (mih_bytes_get64(e + MIH_TREE_SC_E_NBYTES) != nbytes)
		return bad_entry(sidecar, path, "is of another file size");
	/* No product overflows: 2^64 bytes have 2^48 groups of 2^6 bytes. */
	if (!place(sidecar, e + MIH_TREE_SC_E_COARSE, MIH_TREE_SC_COARSE,
		   mih_tree_npages(nbytes) * info->len, &entry.coarse_off) ||
	    !place(sidecar, e + MIH_TREE_SC_E_FINE, MIH_TREE_SC_FINE,
		   mih_hash_ngroups(nbytes) * info->len, &entry.fine_off) ||
	    !place(sidecar, e + MIH_TREE_SC_E_HINTS, MIH_TREE_SC_HINTS, hints,
		   &entry.hints_off))
		return bad_entry(sidecar, path, "points outside the sidecar");
	*entry_out = entry;
	return 0;
}

/* Equal items of one file, somewhere in the sidecar. */
struct items {
	uint64_t off; /* of the first */
	uint64_t n;
	size_t len; /* of each, in bytes */
};

static mih_err read_items(const struct mih_tree_sidecar *sc,
			  const struct items *items, uint64_t first, size_t n,
			  uint8_t *out)
{
	mih_err err;

	if (first > items->n || n > items->n - first)
		return -EINVAL;
	err = mih_io_pread_full(sc->fd, out, n * items->len,
				items->off + first * items->len);
	if (err == -ENODATA)
		return mih_err_fail(-EIO,
				    "%s: sidecar was cut short after it was "
				    "opened",
				    sc->name);
	return err ? mih_err_fail_errno(err, "%s", sc->name) : 0;
}

mih_err mih_tree_sidecar_read_coarse(const struct mih_tree_sidecar *sidecar,
				     const struct mih_tree_entry *entry,
				     uint64_t first, size_t n, uint8_t *nodes)
{
	struct items items = { .off = entry->coarse_off,
			       .n = mih_tree_npages(entry->nbytes),
			       .len = mih_hash_info(entry->alg)->len };

	return read_items(sidecar, &items, first, n, nodes);
}

mih_err mih_tree_sidecar_read_fine(const struct mih_tree_sidecar *sidecar,
				   const struct mih_tree_entry *entry,
				   uint64_t first, size_t n, uint8_t *nodes)
{
	struct items items = { .off = entry->fine_off,
			       .n = mih_hash_ngroups(entry->nbytes),
			       .len = mih_hash_info(entry->alg)->len };

	return read_items(sidecar, &items, first, n, nodes);
}

mih_err mih_tree_sidecar_read_hints(const struct mih_tree_sidecar *sidecar,
				    const struct mih_tree_entry *entry,
				    uint64_t first, size_t n, uint8_t *states)
{
	struct items items = { .off = entry->hints_off,
			       .len = MIH_TREE_SC_HINT_LEN };

	if (entry->has_hints)
		items.n = mih_tree_sc_nhints(entry->nbytes);
	return read_items(sidecar, &items, first, n, states);
}

const char *mih_tree_sidecar_diagnose(const struct mih_tree_sidecar *sidecar)
{
	uint8_t header[MIH_TREE_SC_H_LEN], sum[MIH_TREE_SC_SUM_LEN];
	static const char rot[] = "damaged or cut short";
	uint64_t left = DIAGNOSE_MAX;

	if (mih_io_pread_full(sidecar->fd, header, sizeof(header), 0) ||
	    memcmp(header, sidecar->header, sizeof(header)) != 0)
		return rot;
	for (int i = 0; i < MIH_TREE_SC_SECTIONS; i++) {
		const struct mih_tree_sc_section *s = &sidecar->sections[i];

		if (s->nbytes > left)
			return "not what was signed";
		left -= s->nbytes;
		if (mih_tree_sc_sum_file(sidecar->fd, s->off, s->nbytes, sum) ||
		    memcmp(sum, s->sum, sizeof(sum)) != 0)
			return rot;
	}
	return "consistent in itself but not what was signed";
}
