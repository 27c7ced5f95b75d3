/*
 * The member "serialization" of a statement: how the model was read when it was
 * signed.
 */
#include "sig/sig_internal.h"

#include <string.h>

static mih_err read_hash_type(const struct mih_sig_json *node,
			      enum mih_hash_alg *alg_out)
{
	const struct mih_hash_info *info;
	const char *name;
	mih_err err = mih_sig_json_string(node, "hash_type", &name);

	if (err)
		return err;
	info = mih_hash_by_name(name);
	if (!info ||
	    (info->id != MIH_HASH_SHA256 && info->id != MIH_HASH_BLAKE2B &&
	     info->id != MIH_HASH_BLAKE3))
		return mih_sig_json_fail(node, "hash_type",
					 "is '%.40s', not sha256, blake2b or "
					 "blake3",
					 name);
	*alg_out = info->id;
	return 0;
}

static mih_err read_ignore_paths(const struct mih_sig_json *node,
				 struct mih_sig_manifest *m)
{
	struct mih_sig_json array;
	size_t n;
	mih_err err;

	if (!mih_sig_json_has(node, "ignore_paths"))
		return 0;
	err = mih_sig_json_array(node, "ignore_paths", &array);
	if (err)
		return err;
	n = json_array_size(array.value);
	m->ignore_paths = calloc(n + 1, sizeof(*m->ignore_paths));
	if (!m->ignore_paths)
		return mih_err_fail_errno(-ENOMEM, "%s", node->file);
	for (size_t i = 0; i < n; i++) {
		const json_t *path = json_array_get(array.value, i);

		if (!json_is_string(path))
			return mih_sig_json_fail(&array, "",
						 "must hold strings only");
		m->ignore_paths[i] = strdup(json_string_value(path));
		if (!m->ignore_paths[i])
			return mih_err_fail_errno(-ENOMEM, "%s", node->file);
		m->nignore_paths++;
	}
	return 0;
}

static mih_err read_method(const struct mih_sig_json *node,
			   struct mih_sig_manifest *m)
{
	const char *method;
	const json_t *size = json_object_get(node->value, "shard_size");
	mih_err err = mih_sig_json_string(node, "method", &method);

	if (err)
		return err;
	m->is_sharded = !strcmp(method, "shards");
	if (!m->is_sharded)
		return mih_sig_json_is(node, "method", "files");
	/* The names of the shards say where they end; this is but a remark,
	 * which the reference implementation writes as 8.0. */
	if (size && !(json_number_value(size) > 0))
		return mih_sig_json_fail(node, "shard_size",
					 "must be a number over 0");
	return 0;
}

static mih_err read_symlinks(const struct mih_sig_json *node,
			     struct mih_sig_manifest *m)
{
	const json_t *value = json_object_get(node->value, "allow_symlinks");

	/* Absent is the strict reading: none. */
	if (value && !json_is_boolean(value))
		return mih_sig_json_fail(node, "allow_symlinks",
					 "must be true or false");
	m->allow_symlinks = json_is_true(value);
	return 0;
}

/* The schema of the predicate allows no other members: one that we do not
 * know could change what the digests are digests of. */
mih_err mih_sig_serialization_read(const struct mih_sig_json *predicate,
				   struct mih_sig_manifest *m,
				   enum mih_hash_alg *alg_out)
{
	static const char *const known[] = { "method",	       "hash_type",
					     "allow_symlinks", "ignore_paths",
					     "shard_size",     NULL };
	struct mih_sig_json node;
	mih_err err = mih_sig_json_object(predicate, "serialization", &node);

	if (!err)
		err = mih_sig_json_only(&node, known);
	if (!err)
		err = read_method(&node, m);
	if (!err)
		err = read_hash_type(&node, alg_out);
	if (!err)
		err = read_symlinks(&node, m);
	if (!err)
		err = read_ignore_paths(&node, m);
	return err;
}
