#include "hash/stream.h"
#include "sig/sig_internal.h"

#include <string.h>

void mih_sig_manifest_free(struct mih_sig_manifest *manifest)
{
	if (!manifest)
		return;
	for (size_t i = 0; i < manifest->nresources; i++) {
		free(manifest->resources[i].name);
		free(manifest->resources[i].shards);
	}
	for (size_t i = 0; i < manifest->nignore_paths; i++)
		free(manifest->ignore_paths[i]);
	free(manifest->resources);
	free(manifest->ignore_paths);
	free(manifest->model_name);
	free(manifest);
}

/* Length of the UTF-8 sequence at s, 0 if it is none (RFC 3629 section 4). */
static size_t utf8_len(const uint8_t *s, size_t room)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (s[0] >= 0x80 && (s[0] < 0xc2 || s[0] > 0xf4))
		return 0;
	if (n > room)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates and beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static bool is_utf8(const char *text, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = utf8_len((const uint8_t *)text + at, len - at);
		if (n == 0)
			return false;
	}
	return true;
}

static const char *check_component(const char *name, size_t len)
{
	if (len == 0)
		return "has an empty component";
	if (len == 1 && name[0] == '.')
		return "has a '.' component";
	if (len == 2 && name[0] == '.' && name[1] == '.')
		return "has a '..' component";
	if (len > 255)
		return "has a component over 255 bytes";
	return NULL;
}

const char *mih_sig_name_check(const char *name, size_t len)
{
	const char *bad = NULL, *end = name + len, *slash;

	if (len == 0)
		return "is empty";
	if (memchr(name, '\0', len))
		return "holds a NUL";
	if (len > 4095)
		return "is over 4095 bytes";
	if (name[0] == '/')
		return "is absolute";
	if (name[len - 1] == '/')
		return "ends in a slash";
	if (!is_utf8(name, len))
		return "is not valid UTF-8";
	for (; !bad && name < end; name = slash + 1) {
		slash = memchr(name, '/', (size_t)(end - name));
		if (!slash)
			slash = end;
		bad = check_component(name, (size_t)(slash - name));
	}
	return bad;
}

/* Order in which everything below "a/" directly follows "a": '/' sorts before
 * every other byte. */
static int compare_paths(const void *pa, const void *pb)
{
	const uint8_t *a = *(const uint8_t *const *)pa;
	const uint8_t *b = *(const uint8_t *const *)pb;

	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (!*a || !*b)
		return *a ? 1 : -1;
	if (*a == '/' || *b == '/')
		return *b == '/' ? 1 : -1;
	return *a < *b ? -1 : 1;
}

static bool clash(const char *first, const char *second)
{
	size_t len = strlen(first);

	return !strncmp(first, second, len) &&
	       (second[len] == '\0' || second[len] == '/');
}

/* Sorted rather than hashed: names chosen to collide cost nothing extra, and
 * one order shows both kinds of clash between neighbours. */
mih_err mih_sig_manifest_check_paths(const struct mih_sig_manifest *manifest,
				     const char **first_out,
				     const char **second_out)
{
	size_t n = manifest->nresources;
	mih_autofree const char **names = calloc(n + 1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		names[i] = manifest->resources[i].name;
	qsort(names, n, sizeof(*names), compare_paths);
	for (size_t i = 1; i < n; i++) {
		if (!clash(names[i - 1], names[i]))
			continue;
		*first_out = names[i - 1];
		*second_out = names[i];
		return -EEXIST;
	}
	return 0;
}

/* --- shards ------------------------------------------------------------ */

/* One decimal number as Python writes it, back from @end; NULL if there is
 * none, else where its ':' stands. */
static const char *number_before(const char *name, const char *end,
				 uint64_t *value_out)
{
	const char *at = end;
	uint64_t value = 0, place = 1;

	for (; at > name && at[-1] >= '0' && at[-1] <= '9'; at--) {
		/* 18 digits cannot overflow, and no file is larger. */
		if (end - at >= 18)
			return NULL;
		value += place * (uint64_t)(at[-1] - '0');
		place *= 10;
	}
	if (at == end || at == name || at[-1] != ':' ||
	    (*at == '0' && end - at > 1))
		return NULL;
	*value_out = value;
	return at - 1;
}

bool mih_sig_shard_name(const char *name, size_t *path_len_out,
			struct mih_sig_shard *shard)
{
	const char *colon =
	    number_before(name, name + strlen(name), &shard->end);

	if (colon)
		colon = number_before(name, colon, &shard->begin);
	if (!colon)
		return false;
	*path_len_out = (size_t)(colon - name);
	return true;
}

/* Entries of one file together, by where they begin. */
static int compare_entries(const void *pa, const void *pb)
{
	const struct mih_sig_resource *a = pa, *b = pb;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	return a->shards->begin < b->shards->begin   ? -1
	       : a->shards->begin > b->shards->begin ? 1
						     : 0;
}

/* Make one file of @n entries that stand side by side. */
static mih_err join_file(struct mih_sig_resource *entries, size_t n)
{
	struct mih_sig_shard *shards = reallocarray(NULL, n, sizeof(*shards));

	if (!shards)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		shards[i] = *entries[i].shards;
	for (size_t i = 0; i < n; i++) {
		free(entries[i].shards);
		entries[i].shards = NULL;
		if (i > 0) {
			free(entries[i].name);
			entries[i].name = NULL;
		}
	}
	entries->shards = shards;
	entries->nshards = n;
	entries->nbytes = shards[n - 1].end;
	return 0;
}

/* How many entries from @first on belong to its file; 0: its shards leave a
 * gap or overlap, @bad_out is the one that does not fit. Empty is but the only
 * shard of an empty file. */
static size_t count_file(const struct mih_sig_manifest *m, size_t first,
			 size_t *bad_out)
{
	const struct mih_sig_resource *entries = &m->resources[first];
	uint64_t at = 0;
	size_t n = 0;

	for (; first + n < m->nresources &&
	       !strcmp(entries[n].name, entries->name);
	     n++) {
		*bad_out = first + n;
		if (entries[n].shards->begin != at || (n > 0 && at == 0) ||
		    entries[n].shards->end < at ||
		    (entries[n].shards->end == at && at > 0))
			return 0;
		at = entries[n].shards->end;
	}
	return n;
}

/* Nothing is read of an empty file, so its digest is looked at here. */
static mih_err check_empty(const struct mih_sig_resource *file)
{
	uint8_t nothing[MIH_HASH_LEN_MAX];
	mih_err err;

	if (file->nbytes > 0)
		return 0;
	err = mih_hash_flat(file->alg, "", 0, nothing);
	if (err)
		return err;
	return mih_hash_eq(nothing, file->shards->digest,
			   mih_hash_info(file->alg)->len)
		   ? 0
		   : -EBADMSG;
}

mih_err mih_sig_manifest_join(struct mih_sig_manifest *m, size_t *bad_out)
{
	struct mih_sig_resource *all = m->resources;
	size_t nfiles = 0, n;

	qsort(all, m->nresources, sizeof(*all), compare_entries);
	for (size_t i = 0; i < m->nresources; i += n) {
		mih_err err;

		n = count_file(m, i, bad_out);
		if (n == 0)
			return -EINVAL;
		err = join_file(&all[i], n);
		if (!err)
			err = check_empty(&all[i]);
		if (err)
			return err;
		if (nfiles != i) {
			all[nfiles] = all[i];
			all[i] = (struct mih_sig_resource){ 0 };
		}
		nfiles++;
	}
	m->nresources = nfiles;
	return 0;
}
