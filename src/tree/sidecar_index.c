#include "tree/sidecar_write_internal.h"
#include "util/cleanup.h"

mih_err mih_tree_sc_fail(const struct mih_tree_writer *w, mih_err err)
{
	return mih_err_fail_errno(err, "%s", w->name);
}

struct totals {
	uint64_t groups, hints, paths;
	uint64_t fine, coarse; /* bytes */
};

/* Pages and hints are fewer than groups, so that no sum of theirs can overflow
 * where that of fine nodes does not. */
static mih_err place_files(struct mih_tree_writer *w, struct totals *t)
{
	for (size_t i = 0; i < w->nfiles; i++) {
		const struct mih_tree_source *f = &w->files[i];
		struct mih_tree_place *p = &w->places[i];
		uint64_t groups = mih_hash_ngroups(f->nbytes), hints = 0;
		uint64_t len = mih_tree_sc_info(w, i)->len, fine;

		if (f->has_hints)
			hints = mih_tree_sc_nhints(f->nbytes);
		p->group_first = t->groups;
		p->fine = t->fine;
		p->coarse = t->coarse;
		p->hint_first = t->hints;
		atomic_init(&p->groups_missing, groups);
		atomic_init(&p->hints_missing, hints);
		if (!mih_checked_mul(groups, len, &fine) ||
		    !mih_checked_add(t->fine, fine, &t->fine) ||
		    !mih_checked_add(t->paths, strlen(f->path), &t->paths))
			return -EFBIG;
		t->groups += groups;
		t->coarse += mih_tree_npages(f->nbytes) * len;
		t->hints += hints;
	}
	return 0;
}

static mih_err place_sections(struct mih_tree_writer *w, const struct totals *t)
{
	const uint64_t items[][2] = {
		[MIH_TREE_SC_INDEX] = { w->nfiles, MIH_TREE_SC_E_LEN },
		[MIH_TREE_SC_PATHS] = { t->paths, 1 },
		[MIH_TREE_SC_COARSE] = { t->coarse, 1 },
		[MIH_TREE_SC_FINE] = { t->fine, 1 },
		[MIH_TREE_SC_HINTS] = { t->hints, MIH_TREE_SC_HINT_LEN },
	};
	uint64_t end = MIH_TREE_SC_H_LEN;

	for (int i = 0; i < MIH_TREE_SC_SECTIONS; i++) {
		struct mih_tree_sc_section *s = &w->sections[i];

		if (!mih_checked_mul(items[i][0], items[i][1], &s->nbytes) ||
		    !mih_tree_sc_align(end, &s->off) ||
		    !mih_checked_add(s->off, s->nbytes, &end))
			return -EFBIG;
	}
	w->nbytes = end;
	return end > INT64_MAX ? -EFBIG : 0;
}

static mih_err bitmap_new(uint64_t nbits, _Atomic uint64_t **map_out)
{
	uint64_t words = mih_checked_ceil_div(nbits, 64) + 1;

	*map_out = words > SIZE_MAX / sizeof(**map_out)
		       ? NULL
		       : calloc((size_t)words, sizeof(**map_out));
	return *map_out ? 0 : -ENOMEM;
}

mih_err mih_tree_sc_lay_out(struct mih_tree_writer *w)
{
	struct totals t = { 0 };
	mih_err err;

	w->places = calloc(w->nfiles + 1, sizeof(*w->places));
	if (!w->places)
		return mih_tree_sc_fail(w, -ENOMEM);
	if (w->nfiles > MIH_TREE_SC_NFILES_MAX)
		return mih_tree_sc_fail(w, -EFBIG);
	err = place_files(w, &t);
	if (!err && t.paths > MIH_TREE_SC_PATHS_MAX)
		err = -EFBIG;
	if (!err)
		err = place_sections(w, &t);
	if (!err)
		err = bitmap_new(t.groups, &w->groups_seen);
	if (!err)
		err = bitmap_new(t.hints, &w->hints_seen);
	if (!err && ftruncate(w->io.fd, (off_t)w->nbytes) < 0)
		err = -errno;
	return err ? mih_tree_sc_fail(w, err) : 0;
}

/* --- index and paths, written when the writer opens --------------------- */

struct key {
	uint64_t hash;
	size_t file;
};

static int key_cmp(const void *a, const void *b, void *context)
{
	const struct mih_tree_source *files = context;
	const struct key *x = a, *y = b;
	const char *p = files[x->file].path, *q = files[y->file].path;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return mih_tree_sc_path_cmp(p, strlen(p), q, strlen(q));
}

static mih_err sort_keys(const struct mih_tree_writer *w, struct key *keys)
{
	void *context = (void *)(uintptr_t)w->files;

	for (size_t i = 0; i < w->nfiles; i++) {
		const char *path = w->files[i].path;

		keys[i] =
		    (struct key){ mih_tree_sc_hash(path, strlen(path)), i };
	}
	qsort_r(keys, w->nfiles, sizeof(*keys), key_cmp, context);
	for (size_t i = 1; i < w->nfiles; i++)
		if (key_cmp(&keys[i - 1], &keys[i], context) == 0)
			return mih_err_fail(-EINVAL, "%s: listed twice",
					    w->files[keys[i].file].path);
	return 0;
}

/* A section that is written from its beginning to its end. */
struct stream {
	int fd;
	uint64_t off;
	size_t used;
	XXH3_state_t state;
	uint8_t buf[32768];
};

static mih_err stream_flush(struct stream *s)
{
	mih_err err = mih_io_pwrite_full(s->fd, s->buf, s->used, s->off);

	XXH3_128bits_update(&s->state, s->buf, s->used);
	s->off += s->used;
	s->used = 0;
	return err;
}

static mih_err stream_put(struct stream *s, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0) {
		size_t n = MIH_MIN(len, sizeof(s->buf) - s->used);

		memcpy(s->buf + s->used, at, n);
		s->used += n;
		at += n;
		len -= n;
		if (s->used == sizeof(s->buf)) {
			mih_err err = stream_flush(s);

			if (err)
				return err;
		}
	}
	return 0;
}

/* The bytes of entry @file, whose path stands at @path_off. */
static void make_entry(const struct mih_tree_writer *w, const struct key *key,
		       uint64_t path_off, uint8_t *e)
{
	const struct mih_tree_source *f = &w->files[key->file];
	const struct mih_tree_place *p = &w->places[key->file];

	memset(e, 0, MIH_TREE_SC_E_LEN);
	mih_bytes_put64(e + MIH_TREE_SC_E_HASH, key->hash);
	mih_bytes_put64(e + MIH_TREE_SC_E_PATH, path_off);
	mih_bytes_put32(e + MIH_TREE_SC_E_PATHLEN, (uint32_t)strlen(f->path));
	e[MIH_TREE_SC_E_ALG] = (uint8_t)mih_tree_sc_info(w, key->file)->id;
	e[MIH_TREE_SC_E_FLAGS] = f->has_hints ? MIH_TREE_SC_FLAG_HINTS : 0;
	mih_bytes_put64(e + MIH_TREE_SC_E_NBYTES, f->nbytes);
	mih_bytes_put64(e + MIH_TREE_SC_E_COARSE, p->coarse);
	mih_bytes_put64(e + MIH_TREE_SC_E_FINE, p->fine);
	mih_bytes_put64(e + MIH_TREE_SC_E_HINTS,
			p->hint_first * MIH_TREE_SC_HINT_LEN);
}

static mih_err write_section(struct mih_tree_writer *w, const struct key *keys,
			     enum mih_tree_sc_kind kind)
{
	struct mih_tree_sc_section *section = &w->sections[kind];
	mih_autofree struct stream *s = calloc(1, sizeof(*s));
	uint8_t entry[MIH_TREE_SC_E_LEN];
	uint64_t path_off = 0;
	mih_err err = 0;

	if (!s)
		return -ENOMEM;
	s->fd = w->io.fd;
	s->off = section->off;
	XXH3_128bits_reset(&s->state);
	for (size_t i = 0; i < w->nfiles && !err; i++) {
		const char *path = w->files[keys[i].file].path;
		size_t len = strlen(path);

		if (kind == MIH_TREE_SC_INDEX) {
			make_entry(w, &keys[i], path_off, entry);
			err = stream_put(s, entry, sizeof(entry));
		} else {
			err = stream_put(s, path, len);
		}
		path_off += len;
	}
	if (!err)
		err = stream_flush(s);
	mih_tree_sc_put_sum(section->sum, XXH3_128bits_digest(&s->state));
	return err;
}

mih_err mih_tree_sc_write_index(struct mih_tree_writer *w)
{
	mih_autofree struct key *keys = calloc(w->nfiles + 1, sizeof(*keys));
	mih_err err;

	if (!keys)
		return mih_tree_sc_fail(w, -ENOMEM);
	err = sort_keys(w, keys);
	if (err || w->anonymous)
		return err;
	err = write_section(w, keys, MIH_TREE_SC_INDEX);
	if (!err)
		err = write_section(w, keys, MIH_TREE_SC_PATHS);
	return err ? mih_tree_sc_fail(w, err) : 0;
}
