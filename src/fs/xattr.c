/*
 * user.mihfs.*: what was proven so far, for people and scripts
 */
#include "fs/fs_internal.h"
#include "status/manifest.h"
#include "status/snapshot.h"
#include "util/bytes.h"
#include "util/checked.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "user.mihfs."

/* A value's text; size_t len of it, at most cap. */
struct value {
	const struct mih_fs_generation *generation;
	size_t file; /* index in the model; unused for the root */
	char text[1024];
};

static enum mih_verify_status
file_status(const struct mih_fs_generation *generation, size_t file)
{
	struct mih_verify_file_stats stats;

	mih_verify_file_stats(generation->engine, file, &stats);
	return stats.status;
}

static void set_text(struct value *v, const char *text)
{
	snprintf(v->text, sizeof(v->text), "%s", text);
}

static void get_status(struct value *v)
{
	set_text(v, mih_status_name(file_status(v->generation, v->file)));
}

static void get_algorithm(struct value *v)
{
	set_text(v,
		 mih_status_algorithm(&v->generation->model->files[v->file]));
}

static void get_digest(struct value *v)
{
	mih_status_digest(&v->generation->model->files[v->file], v->text);
}

static void get_verified_bytes(struct value *v)
{
	struct mih_verify_file_stats stats;

	mih_verify_file_stats(v->generation->engine, v->file, &stats);
	snprintf(v->text, sizeof(v->text), "%" PRIu64, stats.verified_bytes);
}

static void get_signer(struct value *v)
{
	set_text(v, mih_sig_bundle_signer(v->generation->model->bundle));
}

static void get_root(struct value *v)
{
	uint8_t root[32];

	mih_sig_bundle_root(v->generation->model->bundle, root);
	mih_bytes_to_hex(root, sizeof(root), v->text);
}

static void get_root_status(struct value *v)
{
	const struct mih_fs_generation *g = v->generation;

	set_text(v, mih_status_name(
			mih_status_of_model(g->engine, g->model->nfiles)));
}

struct attribute {
	const char *name;
	void (*get)(struct value *v);
};

static const struct attribute file_attributes[] = {
	{ PREFIX "status", get_status },
	{ PREFIX "algorithm", get_algorithm },
	{ PREFIX "digest", get_digest },
	{ PREFIX "verified_bytes", get_verified_bytes },
	{ PREFIX "signer", get_signer },
	{ NULL, NULL },
};

static const struct attribute root_attributes[] = {
	{ PREFIX "root", get_root },
	{ PREFIX "status", get_root_status },
	{ PREFIX "signer", get_signer },
	{ NULL, NULL },
};

static const struct attribute no_attributes[] = { { NULL, NULL } };

static const struct attribute *attributes_of(const struct mih_fs_node *node)
{
	if (!node->is_dir)
		return file_attributes;
	return node->number == MIH_FS_ROOT ? root_attributes : no_attributes;
}

/* Size 0 asks how long the answer would be. */
static void reply_bytes(fuse_req_t req, const char *bytes, size_t len,
			size_t size)
{
	if (size == 0)
		fuse_reply_xattr(req, len);
	else if (size < len)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, bytes, len);
}

static void reply_value(fuse_req_t req, const struct mih_fs_found *found,
			const char *name, size_t size)
{
	struct value v = { .generation = found->generation,
			   .file = found->node->first };

	for (const struct attribute *a = attributes_of(found->node); a->name;
	     a++)
		if (!strcmp(a->name, name)) {
			a->get(&v);
			reply_bytes(req, v.text, strlen(v.text), size);
			return;
		}
	/* Not ENOSYS: the kernel would never ask again, for no name. */
	fuse_reply_err(req, ENODATA);
}

static void do_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
			size_t size)
{
	struct mih_fs *fs = mih_fs_of(req);
	struct mih_fs_found found = mih_fs_find(&fs->generations, ino);

	if (found.node)
		reply_value(req, &found, name, size);
	else
		fuse_reply_err(req, ESTALE);
	mih_fs_generation_put(found.generation);
}

static void reply_names(fuse_req_t req, const struct mih_fs_node *node,
			size_t size)
{
	char names[512];
	size_t len = 0;

	for (const struct attribute *a = attributes_of(node); a->name; a++) {
		memcpy(names + len, a->name, strlen(a->name) + 1);
		len += strlen(a->name) + 1;
	}
	reply_bytes(req, names, len, size);
}

static void do_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct mih_fs *fs = mih_fs_of(req);
	struct mih_fs_found found = mih_fs_find(&fs->generations, ino);

	if (found.node)
		reply_names(req, found.node, size);
	else
		fuse_reply_err(req, ESTALE);
	mih_fs_generation_put(found.generation);
}

void mih_fs_xattr_ops(struct fuse_lowlevel_ops *ops)
{
	ops->getxattr = do_getxattr;
	ops->listxattr = do_listxattr;
}
