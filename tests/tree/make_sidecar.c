/* make_sidecar ALG SIDECAR FILE... - for reference.py: build a sidecar of whole
 * files and print the root of each. */
#include "hash/group.h"
#include "tree/sidecar_write.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/io.h"

#include <stdio.h>

struct file {
	char *data;
	size_t len;
};

/* Group by group and from the end, as nobody would expect it. */
static mih_err put_file(struct mih_tree_writer *w,
			const struct mih_hash_info *info, size_t i,
			const struct file *f)
{
	uint8_t digest[MIH_HASH_LEN_MAX];
	mih_err err = 0;

	for (uint64_t g = mih_hash_ngroups(f->len); g-- > 0 && !err;) {
		uint64_t off = g * MIH_HASH_GROUP;
		struct mih_hash_range range = {
			.data = f->data + off,
			.len = f->len - off < MIH_HASH_GROUP ? f->len - off
							     : MIH_HASH_GROUP,
			.off = off,
			.is_root = f->len <= MIH_HASH_GROUP,
		};

		mih_hash_groups(info->id, &range, 1, digest);
		err = mih_tree_writer_put(w, i, g, digest, 1);
	}
	return err;
}

static mih_err print_root(struct mih_tree_writer *w,
			  const struct mih_hash_info *info, size_t i)
{
	uint8_t root[MIH_HASH_LEN_MAX];
	char hex[2 * MIH_HASH_LEN_MAX + 1];
	mih_err err = mih_tree_writer_root(w, i, root);

	mih_bytes_to_hex(root, info->len, hex);
	if (!err)
		puts(hex);
	return err;
}

static mih_err run(const struct mih_hash_info *info, const char *sidecar,
		   char **names, size_t n)
{
	mih_autofree struct mih_tree_source *sources =
	    calloc(n + 1, sizeof(*sources));
	mih_autofree struct file *files = calloc(n + 1, sizeof(*files));
	struct mih_tree_writer *w;
	mih_err err = sources && files ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		err = mih_io_read_file(names[i], (size_t)1 << 30,
				       &files[i].data, &files[i].len);
		sources[i] = (struct mih_tree_source){ names[i], files[i].len };
	}
	if (!err)
		err = mih_tree_writer_open(sidecar, info->id, sources, n, &w);
	if (err)
		return err;
	for (size_t i = 0; i < n && !err; i++) {
		err = put_file(w, info, i, &files[i]);
		if (!err)
			err = print_root(w, info, i);
		free(files[i].data);
	}
	if (!err)
		return mih_tree_writer_finish(w);
	mih_tree_writer_abort(w);
	return err;
}

int main(int argc, char **argv)
{
	const struct mih_hash_info *info =
	    argc > 2 ? mih_hash_by_name(argv[1]) : NULL;

	if (!info || !info->is_tree)
		return 2;
	if (run(info, argv[2], argv + 3, (size_t)argc - 3) == 0)
		return 0;
	fprintf(stderr, "%s\n", mih_err_message());
	return 1;
}
