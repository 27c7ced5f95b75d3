/*
 * From the JSON of a bundle to what logs and timestamps claim.
 */
#include "sig/keyless/keyless.h"

#include <string.h>

#define BODY_MAX  ((size_t)4 << 20)
#define SET_MAX	  1024
#define STAMP_MAX ((size_t)64 << 10)

void mih_sig_proof_free(struct mih_sig_proof *proof)
{
	if (!proof)
		return;
	for (size_t i = 0; i < proof->nentries; i++) {
		struct mih_sig_entry *entry = &proof->entries[i];

		free(entry->kind);
		free(entry->version);
		mih_sig_bytes_fini(&entry->body);
		mih_sig_bytes_fini(&entry->set);
		free(entry->path);
		free(entry->checkpoint);
	}
	for (size_t i = 0; i < proof->nstamps; i++)
		mih_sig_bytes_fini(&proof->stamps[i]);
	free(proof->entries);
	free(proof->stamps);
	free(proof);
}

static void put_proof(struct mih_sig_proof **proof)
{
	mih_sig_proof_free(*proof);
}

static mih_err copy_string(const struct mih_sig_json *node, const char *key,
			   char **out)
{
	const char *text;
	mih_err err = mih_sig_json_string(node, key, &text);

	if (err)
		return err;
	*out = strdup(text);
	return *out ? 0 : mih_err_fail_errno(-ENOMEM, "%s", node->file);
}

static mih_err read_path(const struct mih_sig_json *node,
			 struct mih_sig_entry *entry)
{
	mih_autobytes struct mih_sig_bytes hash = { 0 };
	struct mih_sig_json array;
	size_t n;
	mih_err err = 0;

	if (!mih_sig_json_has(node, "hashes"))
		return 0;
	err = mih_sig_json_array(node, "hashes", &array);
	if (err)
		return err;
	n = json_array_size(array.value);
	if (n > MIH_SIG_PATH_MAX)
		return mih_sig_json_fail(&array, "", "has more than %d hashes",
					 MIH_SIG_PATH_MAX);
	entry->path = calloc(n + 1, sizeof(*entry->path));
	if (!entry->path)
		return mih_err_fail_errno(-ENOMEM, "%s", node->file);
	for (; !err && entry->npath < n; entry->npath++) {
		const char *text = json_string_value(
		    json_array_get(array.value, entry->npath));

		mih_sig_bytes_fini(&hash);
		hash = (struct mih_sig_bytes){ 0 };
		err = mih_sig_proto_base64(&array, "", text ? text : "", 32,
					   &hash);
		if (!err && hash.len != 32)
			err = mih_sig_json_fail(&array, "",
						"must hold hashes of 32 bytes");
		if (!err)
			memcpy(entry->path[entry->npath], hash.at, 32);
	}
	return err;
}

static mih_err read_checkpoint(const struct mih_sig_json *node,
			       struct mih_sig_entry *entry)
{
	static const char *const known[] = { "envelope", NULL };
	struct mih_sig_json checkpoint;
	mih_err err = mih_sig_json_object(node, "checkpoint", &checkpoint);

	if (!err)
		err = mih_sig_json_only(&checkpoint, known);
	if (!err)
		err = copy_string(&checkpoint, "envelope", &entry->checkpoint);
	if (!err && strlen(entry->checkpoint) > MIH_SIG_CHECKPOINT_MAX)
		err = mih_sig_json_fail(&checkpoint, "envelope", "is too long");
	return err;
}

static mih_err read_inclusion(const struct mih_sig_json *node,
			      struct mih_sig_entry *entry)
{
	static const char *const known[] = { "logIndex",   "rootHash",
					     "treeSize",   "hashes",
					     "checkpoint", NULL };
	struct mih_sig_json proof;
	mih_err err = mih_sig_json_object(node, "inclusionProof", &proof);

	if (!err)
		err = mih_sig_json_only(&proof, known);
	if (!err)
		err = mih_sig_proto_uint63(&proof, "logIndex", &entry->index);
	if (!err)
		err = mih_sig_proto_uint63(&proof, "treeSize", &entry->size);
	if (!err)
		err = mih_sig_proto_digest(&proof, "rootHash", 32, entry->root);
	if (!err)
		err = read_path(&proof, entry);
	return err ? err : read_checkpoint(&proof, entry);
}

static mih_err read_promise(const struct mih_sig_json *node,
			    struct mih_sig_entry *entry)
{
	static const char *const known[] = { "signedEntryTimestamp", NULL };
	struct mih_sig_json promise;
	mih_err err;

	if (!mih_sig_json_has(node, "inclusionPromise"))
		return 0;
	err = mih_sig_json_object(node, "inclusionPromise", &promise);
	if (!err)
		err = mih_sig_json_only(&promise, known);
	return err ? err
		   : mih_sig_proto_bytes(&promise, known[0], SET_MAX,
					 &entry->set);
}

static mih_err read_kind(const struct mih_sig_json *node,
			 struct mih_sig_entry *entry)
{
	static const char *const known[] = { "kind", "version", NULL };
	struct mih_sig_json kind;
	mih_err err = mih_sig_json_object(node, "kindVersion", &kind);

	if (!err)
		err = mih_sig_json_only(&kind, known);
	if (!err)
		err = copy_string(&kind, "kind", &entry->kind);
	return err ? err : copy_string(&kind, "version", &entry->version);
}

static mih_err read_entry(const struct mih_sig_json *node,
			  struct mih_sig_entry *entry)
{
	static const char *const known[] = {
		"logIndex",	     "logId",
		"kindVersion",	     "integratedTime",
		"inclusionPromise",  "inclusionProof",
		"canonicalizedBody", NULL
	};
	static const char *const in_id[] = { "keyId", NULL };
	struct mih_sig_json id;
	mih_err err = mih_sig_json_only(node, known);

	if (!err)
		err = mih_sig_proto_uint63(node, "logIndex", &entry->log_index);
	if (!err)
		err = mih_sig_proto_uint63(node, "integratedTime",
					   &entry->integrated_time);
	if (!err)
		err = mih_sig_json_object(node, "logId", &id);
	if (!err)
		err = mih_sig_json_only(&id, in_id);
	if (!err)
		err = mih_sig_proto_digest(&id, in_id[0], 32, entry->log_id);
	if (!err)
		err = read_kind(node, entry);
	if (!err)
		err = read_promise(node, entry);
	if (!err)
		err = read_inclusion(node, entry);
	return err ? err
		   : mih_sig_proto_bytes(node, "canonicalizedBody", BODY_MAX,
					 &entry->body);
}

/* The list @key; absent: an empty one. */
static mih_err open_list(const struct mih_sig_json *node, const char *key,
			 struct mih_sig_json *array)
{
	mih_err err;

	*array = (struct mih_sig_json){ .file = node->file };
	if (!mih_sig_json_has(node, key))
		return 0;
	err = mih_sig_json_array(node, key, array);
	if (!err && json_array_size(array->value) > MIH_SIG_PROOF_MAX)
		err = mih_sig_json_fail(array, "", "has more than %d",
					MIH_SIG_PROOF_MAX);
	return err;
}

static mih_err read_entries(const struct mih_sig_json *material,
			    struct mih_sig_proof *proof)
{
	struct mih_sig_json array, one;
	mih_err err = open_list(material, "tlogEntries", &array);
	size_t n = json_array_size(array.value);

	if (err)
		return err;
	proof->entries = calloc(n + 1, sizeof(*proof->entries));
	if (!proof->entries)
		return mih_err_fail_errno(-ENOMEM, "%s", material->file);
	while (!err && proof->nentries < n) {
		err = mih_sig_json_element(&array, proof->nentries, &one);
		if (!err)
			err = read_entry(&one,
					 &proof->entries[proof->nentries++]);
	}
	return err;
}

static mih_err read_stamps(const struct mih_sig_json *material,
			   struct mih_sig_proof *proof)
{
	static const char *const outer[] = { "rfc3161Timestamps", NULL };
	static const char *const inner[] = { "signedTimestamp", NULL };
	struct mih_sig_json data, array, one;
	mih_err err;
	size_t n;

	if (!mih_sig_json_has(material, "timestampVerificationData"))
		return 0;
	err = mih_sig_json_object(material, "timestampVerificationData", &data);
	if (!err)
		err = mih_sig_json_only(&data, outer);
	if (!err)
		err = open_list(&data, outer[0], &array);
	if (err)
		return err;
	n = json_array_size(array.value);
	proof->stamps = calloc(n + 1, sizeof(*proof->stamps));
	if (!proof->stamps)
		return mih_err_fail_errno(-ENOMEM, "%s", material->file);
	while (!err && proof->nstamps < n) {
		err = mih_sig_json_element(&array, proof->nstamps, &one);
		if (!err)
			err = mih_sig_json_only(&one, inner);
		if (!err)
			err = mih_sig_proto_bytes(
			    &one, inner[0], STAMP_MAX,
			    &proof->stamps[proof->nstamps++]);
	}
	return err;
}

mih_err mih_sig_proof_read(const struct mih_sig_json *material,
			   struct mih_sig_proof **proof_out)
{
	MIH_CLEANUP(put_proof)
	struct mih_sig_proof *proof = calloc(1, sizeof(*proof));
	mih_err err;

	if (!proof)
		return mih_err_fail_errno(-ENOMEM, "%s", material->file);
	err = read_entries(material, proof);
	if (!err)
		err = read_stamps(material, proof);
	if (!err)
		*proof_out = MIH_STEAL(&proof);
	return err;
}
