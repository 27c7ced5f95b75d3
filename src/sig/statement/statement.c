#include "sig/legacy/legacy.h"
#include "util/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct mih_sig_member resources_member = { "predicate",
							"resources", '[' };

/** A manifest in the making. */
struct reader {
	const struct mih_sig_text *payload;
	struct mih_sig_manifest *m;
	size_t room;	       /* resources allocated */
	enum mih_hash_alg alg; /* hash_type */
	EVP_MD_CTX *root;      /* SHA-256 over the digests so far */
};

static void reader_fini(struct reader *r)
{
	mih_sig_manifest_free(r->m);
	EVP_MD_CTX_free(r->root);
}

/* --- one resource ------------------------------------------------------ */

static mih_err read_size(const struct mih_sig_json *mihfs, uint64_t *out)
{
	const json_t *size = json_object_get(mihfs->value, "size");

	if (!json_is_integer(size))
		return mih_sig_json_fail(mihfs, "size", "must be an integer");
	if (json_integer_value(size) < 0 ||
	    (uint64_t)json_integer_value(size) > MIH_SIG_SIZE_MAX)
		return mih_sig_json_fail(mihfs, "size",
					 "is %lld, not the size of a file",
					 (long long)json_integer_value(size));
	*out = (uint64_t)json_integer_value(size);
	return 0;
}

static mih_err read_tree(const struct mih_sig_json *mihfs,
			 struct mih_sig_resource *res)
{
	const struct mih_hash_info *info;
	const char *name;
	mih_err err = mih_sig_json_string(mihfs, "tree", &name);

	if (err)
		return err;
	info = mih_hash_by_name(name);
	if (!info || !info->is_tree)
		return mih_sig_json_fail(mihfs, "tree",
					 "is '%.40s', which is no tree that "
					 "this version knows",
					 name);
	err = mih_sig_json_hex(mihfs, "root", info->len, res->root);
	if (!err)
		err = read_size(mihfs, &res->nbytes);
	if (err)
		return err;
	if (info->id == res->alg &&
	    !mih_hash_eq(res->root, res->digest, info->len))
		return mih_sig_json_fail(mihfs, "root",
					 "differs from the digest of the same "
					 "algorithm");
	res->tree = info->id;
	return 0;
}

/* Members of the annotation that we do not know cannot change what tree, root
 * and size say, so they are passed over like other tools' annotations. */
static mih_err read_annotations(const struct mih_sig_json *node,
				struct mih_sig_resource *res)
{
	struct mih_sig_json annotations, mihfs;
	mih_err err;

	if (!mih_sig_json_has(node, "annotations"))
		return 0;
	err = mih_sig_json_object(node, "annotations", &annotations);
	if (err || !json_object_get(annotations.value, "mihfs"))
		return err;
	err = mih_sig_json_object(&annotations, "mihfs", &mihfs);
	return err ? err : read_tree(&mihfs, res);
}

/* "path:start:end": @res gets its one shard, @len becomes that of the path. */
static mih_err read_range(const struct mih_sig_json *node, const char *name,
			  struct mih_sig_resource *res, size_t *len)
{
	res->shards = calloc(1, sizeof(*res->shards));
	if (!res->shards)
		return mih_err_fail_errno(-ENOMEM, "%s", node->file);
	res->nshards = 1;
	memcpy(res->shards->digest, res->digest, sizeof(res->digest));
	if (!mih_sig_shard_name(name, len, res->shards))
		return mih_sig_json_fail(node, "name",
					 "is not of the form path:start:end: "
					 "'%.120s'",
					 name);
	return 0;
}

static mih_err read_name(const struct reader *r,
			 const struct mih_sig_json *node,
			 struct mih_sig_resource *res)
{
	const char *name, *bad = NULL;
	mih_err err = mih_sig_json_string(node, "name", &name);
	size_t len;

	if (err)
		return err;
	len = strlen(name);
	if (r->m->is_sharded)
		err = read_range(node, name, res, &len);
	if (err)
		return err;
	/* "." is how older tools name a model that is a single file. */
	if (len != 1 || *name != '.')
		bad = mih_sig_name_check(name, len);
	if (bad)
		return mih_sig_json_fail(node, "name", "%s: '%.120s'", bad,
					 name);
	res->name = strndup(name, len);
	return res->name ? 0 : mih_err_fail_errno(-ENOMEM, "%s", node->file);
}

/* The reference implementation says "sha256-sharded-8" of a shard. */
static mih_err read_algorithm(const struct reader *r,
			      const struct mih_sig_json *node, const char *want)
{
	static const char infix[] = "-sharded-";
	const char *name;
	size_t len = strlen(want);
	mih_err err = mih_sig_json_string(node, "algorithm", &name);

	if (err)
		return err;
	if (r->m->is_sharded && !strncmp(name, want, len) &&
	    !strncmp(name + len, infix, strlen(infix))) {
		name += len + strlen(infix);
		if (*name && strspn(name, "0123456789") == strlen(name))
			return 0;
	}
	return mih_sig_json_is(node, "algorithm", want);
}

static mih_err read_resource(struct reader *r, const struct mih_sig_json *node,
			     struct mih_sig_resource *res)
{
	const struct mih_hash_info *info = mih_hash_info(r->alg);
	mih_err err;

	err = read_algorithm(r, node, info->name);
	if (!err)
		err = mih_sig_json_hex(node, "digest", info->len, res->digest);
	res->alg = r->alg;
	/* What is said of a whole file has no place at a piece of it. */
	if (!err && !r->m->is_sharded)
		err = read_annotations(node, res);
	return err ? err : read_name(r, node, res);
}

static mih_err add_to_root(struct reader *r, const struct mih_sig_resource *res)
{
	if (EVP_DigestUpdate(r->root, res->digest,
			     mih_hash_info(res->alg)->len) != 1)
		return mih_err_fail(-EIO, "%s: SHA-256 failed",
				    r->payload->file);
	return 0;
}

/* The next of them, all 0; not yet counted. */
static mih_err next_resource(struct reader *r, struct mih_sig_resource **out)
{
	struct mih_sig_manifest *m = r->m;

	if (m->nresources == r->room) {
		size_t room = r->room ? r->room + r->room / 2 : 16;
		void *more =
		    reallocarray(m->resources, room, sizeof(*m->resources));

		if (!more)
			return mih_err_fail_errno(-ENOMEM, "%s",
						  r->payload->file);
		m->resources = more;
		r->room = room;
	}
	*out = &m->resources[m->nresources];
	**out = (struct mih_sig_resource){ 0 };
	return 0;
}

static mih_err add_resource(struct reader *r, const struct mih_sig_json *node)
{
	struct mih_sig_resource *res;
	mih_err err = next_resource(r, &res);

	if (err)
		return err;
	err = read_resource(r, node, res);
	/* Counted once there is something to free. */
	if (!err || res->name || res->shards)
		r->m->nresources++;
	return err ? err : add_to_root(r, res);
}

/* *@done_out: it was of the plain form that needs no JSON library. */
static mih_err add_plain(struct reader *r, const struct mih_sig_text *text,
			 bool *done_out)
{
	struct mih_sig_resource *res;
	mih_err err = next_resource(r, &res);

	*done_out =
	    !err && !r->m->is_sharded && mih_sig_plain_read(text, r->alg, res);
	if (!*done_out)
		return err;
	r->m->nresources++;
	return add_to_root(r, res);
}

/* --- the list ---------------------------------------------------------- */

static mih_err add_element(struct reader *r, struct mih_sig_span one, size_t i)
{
	struct mih_sig_json node = { .file = r->payload->file };
	struct mih_sig_text text = { .file = node.file,
				     .text = r->payload->text + one.from,
				     .len = one.to - one.from };
	mih_autojson json_t *json = NULL;
	bool done;
	mih_err err = add_plain(r, &text, &done);

	if (err || done)
		return err;
	if (snprintf(node.at, sizeof(node.at), "predicate.resources[%zu]", i) <
	    0)
		return -EINVAL;
	err = mih_sig_json_load_at(&text, node.at, &json);
	if (err)
		return err;
	node.value = json;
	return add_resource(r, &node);
}

static mih_err add_from_text(struct reader *r, struct mih_sig_span rest)
{
	bool more = true;

	for (size_t i = 0; more; i++) {
		struct mih_sig_span one;
		mih_err err;

		more = mih_sig_json_split(r->payload->text, &rest, &one);
		err = add_element(r, one, i);
		if (err)
			return err;
	}
	return 0;
}

static mih_err add_from_array(struct reader *r,
			      const struct mih_sig_json *array)
{
	size_t n = json_array_size(array->value);

	for (size_t i = 0; i < n; i++) {
		struct mih_sig_json node;
		mih_err err = mih_sig_json_element(array, i, &node);

		if (!err)
			err = add_resource(r, &node);
		if (err)
			return err;
	}
	return 0;
}

static bool is_blank(const char *text, struct mih_sig_span span)
{
	while (span.from < span.to && strchr(" \t\r\n", text[span.from]) &&
	       text[span.from])
		span.from++;
	return span.from == span.to;
}

static mih_err read_resources(struct reader *r,
			      const struct mih_sig_json *predicate,
			      struct mih_sig_span span)
{
	struct mih_sig_json array;
	mih_err err = mih_sig_json_array(predicate, "resources", &array);

	if (err)
		return err;
	if (is_blank(r->payload->text, span))
		err = add_from_array(r, &array);
	else
		err = add_from_text(r, span);
	if (err || r->m->nresources > 0)
		return err;
	return mih_sig_json_fail(&array, "",
				 "is empty: a model has at least one file");
}

static mih_err join_shards(struct reader *r)
{
	struct mih_sig_manifest *m = r->m;
	const char *file = r->payload->file;
	const struct mih_sig_resource *bad;
	size_t at = 0;
	mih_err err = m->is_sharded ? mih_sig_manifest_join(m, &at) : 0;

	if (!err)
		return 0;
	if (err != -EINVAL && err != -EBADMSG)
		return mih_err_fail_errno(err, "%s", file);
	bad = &m->resources[at];
	if (err == -EBADMSG)
		return mih_err_fail(MIH_EFORMAT,
				    "%s: shard 0:0 of '%.200s' has another "
				    "digest than an empty file",
				    file, bad->name);
	return mih_err_fail(MIH_EFORMAT,
			    "%s: shard %" PRIu64 ":%" PRIu64 " of '%.200s' "
			    "leaves a gap or overlaps",
			    file, bad->shards->begin, bad->shards->end,
			    bad->name);
}

static mih_err check_names(const struct reader *r)
{
	const struct mih_sig_manifest *m = r->m;
	const char *a = "", *b = "", *file = r->payload->file;
	mih_err err = mih_sig_manifest_check_paths(m, &a, &b);

	if (err == -EEXIST && !strcmp(a, b))
		return mih_err_fail(MIH_EFORMAT,
				    "%s: resource '%.200s' appears twice", file,
				    a);
	if (err == -EEXIST)
		return mih_err_fail(MIH_EFORMAT,
				    "%s: '%.200s' cannot be a file while "
				    "'%.200s' is one",
				    file, a, b);
	for (size_t i = 0; !err && m->nresources > 1 && i < m->nresources; i++)
		if (!strcmp(m->resources[i].name, "."))
			return mih_err_fail(MIH_EFORMAT,
					    "%s: resource '.' beside others",
					    file);
	return err ? mih_err_fail_errno(err, "%s", file) : 0;
}

/* --- the statement ----------------------------------------------------- */

static mih_err read_subject(struct reader *r, const struct mih_sig_json *top,
			    uint8_t root[32])
{
	struct mih_sig_json array, subject, digest;
	const char *name;
	mih_err err = mih_sig_json_array(top, "subject", &array);

	if (err)
		return err;
	if (json_array_size(array.value) != 1)
		return mih_sig_json_fail(&array, "",
					 "must hold exactly one subject, not "
					 "%zu",
					 json_array_size(array.value));
	err = mih_sig_json_element(&array, 0, &subject);
	if (!err)
		err = mih_sig_json_object(&subject, "digest", &digest);
	if (!err)
		err = mih_sig_json_hex(&digest, "sha256", 32, root);
	if (!err)
		err = mih_sig_json_string(&subject, "name", &name);
	if (err)
		return err;
	r->m->model_name = strdup(name);
	return r->m->model_name ? 0
				: mih_err_fail_errno(-ENOMEM, "%s", top->file);
}

static mih_err check_types(const struct mih_sig_json *top, bool *is_legacy_out)
{
	const char *type;
	mih_err err = mih_sig_json_is(top, "_type", MIH_SIG_STATEMENT_TYPE);

	if (!err)
		err = mih_sig_json_string(top, "predicateType", &type);
	if (err)
		return err;
	*is_legacy_out = !strcmp(type, MIH_SIG_LEGACY_PREDICATE_TYPE);
	return *is_legacy_out ? 0
			      : mih_sig_json_is(top, "predicateType",
						MIH_SIG_PREDICATE_TYPE);
}

static mih_err wrong_root(const char *file, const uint8_t stated[32],
			  const uint8_t got[32])
{
	char expected[65], found[65];

	mih_bytes_to_hex(got, 32, expected);
	mih_bytes_to_hex(stated, 32, found);
	return mih_err_fail(MIH_EFORMAT,
			    "%s: subject[0].digest.sha256 is not the root "
			    "digest of the resources: expected %s, found %s",
			    file, expected, found);
}

static mih_err check_root(const struct reader *r, const uint8_t root[32])
{
	uint8_t got[32];

	if (EVP_DigestFinal_ex(r->root, got, NULL) != 1)
		return mih_err_fail(-EIO, "%s: SHA-256 failed",
				    r->payload->file);
	if (!mih_hash_eq(got, root, sizeof(got)))
		return wrong_root(r->payload->file, root, got);
	return 0;
}

static mih_err read_predicate(struct reader *r, const struct mih_sig_json *top,
			      struct mih_sig_span span)
{
	static const char *const known[] = { "serialization", "resources",
					     NULL };
	struct mih_sig_json predicate;
	mih_err err = mih_sig_json_object(top, "predicate", &predicate);

	if (!err)
		err = mih_sig_json_only(&predicate, known);
	if (!err)
		err = mih_sig_serialization_read(&predicate, r->m, &r->alg);
	return err ? err : read_resources(r, &predicate, span);
}

static mih_err reader_init(struct reader *r)
{
	r->m = calloc(1, sizeof(*r->m));
	r->root = EVP_MD_CTX_new();
	if (!r->m || !r->root ||
	    EVP_DigestInit_ex(r->root, EVP_sha256(), NULL) != 1)
		return mih_err_fail_errno(-ENOMEM, "%s", r->payload->file);
	return 0;
}

static mih_err read_current(struct reader *r, const struct mih_sig_json *top,
			    struct mih_sig_span span, uint8_t root[32])
{
	mih_err err = read_subject(r, top, root);

	if (!err)
		err = read_predicate(r, top, span);
	if (!err)
		err = check_root(r, root);
	return err ? err : join_shards(r);
}

mih_err mih_sig_statement_read(const struct mih_sig_text *payload,
			       struct mih_sig_manifest **manifest_out,
			       uint8_t root[32])
{
	MIH_CLEANUP(reader_fini) struct reader r = { .payload = payload };
	struct mih_sig_json top = { .file = payload->file };
	mih_autojson json_t *json = NULL;
	struct mih_sig_span span;
	bool is_legacy;
	mih_err err = reader_init(&r);

	if (!err)
		err = mih_sig_json_find(payload, &resources_member, &span);
	if (!err)
		err = mih_sig_json_load_without(payload, span, &json);
	if (err)
		return err;
	top.value = json;
	err = check_types(&top, &is_legacy);
	if (!err && is_legacy)
		err = mih_sig_legacy_read(&top, r.m, root);
	else if (!err)
		err = read_current(&r, &top, span, root);
	if (!err)
		err = check_names(&r);
	if (!err)
		*manifest_out = MIH_STEAL(&r.m);
	return err;
}
