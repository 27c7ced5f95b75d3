#include "cli/pass/ranges.h"
#include "tree/fold.h"
#include "tree/shape.h"
#include "tree/sidecar.h"
#include "hash/stream.h"
#include "util/cleanup.h"
#include "verify/bulk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 64 /* groups compared per read of the sidecar */

/* What is known of one file. */
struct known {
	bool has_entry;
	struct mih_tree_entry entry;
	uint8_t *bad;	 /* one bit per group; NULL while none is; owned */
	uint8_t *states; /* hints of flat digests; NULL: none; owned */
};

struct mih_cli_ranges {
	struct mih_tree_sidecar *sidecar; /* owned; NULL: of no use */
	const struct mih_cli_pass_file *files;
	size_t nfiles;
	pthread_mutex_t lock; /* of the bits */
	struct known known[];
};

struct mih_cli_ranges *
mih_cli_ranges_new(const char *sidecar,
		   const struct mih_tree_sidecar_limits *limits,
		   const struct mih_cli_pass_file *files, size_t n)
{
	struct mih_cli_ranges *r =
	    calloc(1, sizeof(*r) + n * sizeof(r->known[0]));

	if (!r)
		return NULL;
	r->files = files;
	r->nfiles = n;
	pthread_mutex_init(&r->lock, NULL);
	if (mih_tree_sidecar_open(sidecar, limits, &r->sidecar))
		r->sidecar = NULL;
	for (size_t i = 0; r->sidecar && i < n; i++)
		r->known[i].has_entry =
		    files[i].tree != MIH_HASH_NONE &&
		    !mih_tree_sidecar_find(r->sidecar, files[i].path,
					   files[i].tree, files[i].nbytes,
					   &r->known[i].entry);
	return r;
}

void mih_cli_ranges_free(struct mih_cli_ranges *ranges)
{
	if (!ranges)
		return;
	for (size_t i = 0; i < ranges->nfiles; i++) {
		free(ranges->known[i].bad);
		free(ranges->known[i].states);
	}
	mih_tree_sidecar_close(ranges->sidecar);
	pthread_mutex_destroy(&ranges->lock);
	free(ranges);
}

/* Below two pieces there is nothing to do side by side. */
const uint8_t *mih_cli_ranges_states(struct mih_cli_ranges *ranges, size_t file)
{
	const struct mih_cli_pass_file *f = &ranges->files[file];
	size_t n = (size_t)(f->nbytes / MIH_VERIFY_BULK_PIECE);
	mih_autofree uint8_t *states = NULL;
	struct mih_tree_entry entry;

	if (!ranges->sidecar || f->flat != MIH_HASH_SHA256 || n < 2 ||
	    mih_tree_sidecar_find(ranges->sidecar, f->path,
				  MIH_HASH_MTH4K_SHA256, f->nbytes, &entry) ||
	    !entry.has_hints)
		return NULL;
	states = calloc(n, MIH_HASH_SHA256_STATE);
	if (!states ||
	    mih_tree_sidecar_read_hints(ranges->sidecar, &entry, 0, n, states))
		return NULL;
	free(ranges->known[file].states);
	return ranges->known[file].states = MIH_STEAL(&states);
}

static void set_bit(struct mih_cli_ranges *r, size_t file, uint64_t group,
		    bool bad)
{
	struct known *known = &r->known[file];
	uint8_t bit = (uint8_t)(1U << group % 8);

	if (bad && !known->bad)
		known->bad =
		    calloc(mih_hash_ngroups(r->files[file].nbytes) / 8 + 1, 1);
	if (bad && known->bad)
		known->bad[group / 8] |= bit;
	else if (known->bad)
		known->bad[group / 8] &= (uint8_t)~bit;
}

static bool is_bad(const struct known *known, uint64_t group)
{
	return known->bad[group / 8] >> group % 8 & 1;
}

/* A second reading, by the processor, has the last word: what a device had got
 * wrong is not bad any more. */
static void compare(struct mih_cli_ranges *r, size_t file, uint64_t first,
		    const uint8_t *digests, size_t n)
{
	size_t len = mih_hash_info(r->files[file].tree)->len;
	uint8_t claimed[AT_ONCE * MIH_HASH_LEN_MAX];

	if (mih_tree_sidecar_read_fine(r->sidecar, &r->known[file].entry, first,
				       n, claimed))
		return; /* then it will not fit the root either */
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < n; i++)
		set_bit(
		    r, file, first + i,
		    !mih_hash_eq(claimed + i * len, digests + i * len, len));
	pthread_mutex_unlock(&r->lock);
}

mih_err mih_cli_ranges_groups(void *context, size_t file, uint64_t first,
			      const uint8_t *digests, size_t n)
{
	struct mih_cli_ranges *r = context;
	size_t len = mih_hash_info(r->files[file].tree)->len;

	if (!r->known[file].has_entry)
		return 0;
	for (size_t i = 0; i < n; i += AT_ONCE)
		compare(r, file, first + i, digests + i * len,
			MIH_MIN(n - i, (size_t)AT_ONCE));
	return 0;
}

/* The coarse layer, if it leads to @root; the caller frees it. */
static uint8_t *proven_coarse(const struct mih_cli_ranges *r, size_t file,
			      const uint8_t *root)
{
	const struct mih_cli_pass_file *f = &r->files[file];
	size_t len = mih_hash_info(f->tree)->len;
	size_t n = (size_t)mih_tree_npages(f->nbytes);
	mih_autofree uint8_t *coarse = malloc(n * len);
	mih_autofree uint8_t *copy = malloc(n * len);
	uint8_t top[MIH_HASH_LEN_MAX];

	if (!coarse || !copy ||
	    mih_tree_sidecar_read_coarse(r->sidecar, &r->known[file].entry, 0,
					 n, coarse))
		return NULL;
	memcpy(copy, coarse, n * len);
	mih_tree_root(f->tree, f->nbytes, MIH_TREE_PAGE, copy, top);
	return mih_hash_eq(top, root, len) ? MIH_STEAL(&coarse) : NULL;
}

/* Does the fine layer of @page fold to its coarse node? Of a file of one page
 * the fine layer leads to the root itself, which is that node. */
static bool page_fits(const struct mih_cli_ranges *r, size_t file,
		      uint64_t page, const uint8_t *node)
{
	const struct mih_cli_pass_file *f = &r->files[file];
	size_t n = mih_tree_page_groups(f->nbytes, page);
	uint8_t fine[MIH_TREE_PAGE_NODES_MAX], top[MIH_HASH_LEN_MAX];

	if (mih_tree_sidecar_read_fine(r->sidecar, &r->known[file].entry,
				       page * MIH_TREE_PAGE_GROUPS, n, fine))
		return false;
	mih_tree_page_node(f->tree, f->nbytes, page, fine, top);
	return mih_hash_eq(top, node, mih_hash_info(f->tree)->len);
}

static bool layers_fit(const struct mih_cli_ranges *r, size_t file,
		       const uint8_t *root)
{
	const struct mih_cli_pass_file *f = &r->files[file];
	mih_autofree uint8_t *coarse = proven_coarse(r, file, root);
	size_t len = mih_hash_info(f->tree)->len;
	uint64_t ngroups = mih_hash_ngroups(f->nbytes);

	if (!coarse)
		return false;
	for (uint64_t g = 0; g < ngroups; g++) {
		uint64_t page = g / MIH_TREE_PAGE_GROUPS;

		if (!is_bad(&r->known[file], g))
			continue;
		if (!page_fits(r, file, page, coarse + page * len))
			return false;
		g = (page + 1) * MIH_TREE_PAGE_GROUPS - 1; /* next page */
	}
	return true;
}

bool mih_cli_ranges_tell(
    struct mih_cli_ranges *ranges, size_t file, const uint8_t *root,
    void (*range)(void *context, uint64_t from, uint64_t to), void *context)
{
	const struct known *known = &ranges->known[file];
	uint64_t nbytes = ranges->files[file].nbytes;
	uint64_t ngroups = mih_hash_ngroups(nbytes), from, g;

	if (!known->has_entry || !known->bad || !layers_fit(ranges, file, root))
		return false;
	for (g = 0; g < ngroups; g++) {
		if (!is_bad(known, g))
			continue;
		for (from = g; g + 1 < ngroups && is_bad(known, g + 1);)
			g++;
		range(context, from * MIH_HASH_GROUP,
		      MIH_MIN((g + 1) * MIH_HASH_GROUP, nbytes) - 1);
	}
	return true;
}
