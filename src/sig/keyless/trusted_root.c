/*
 * The trusted root: keys and windows of every log and authority.
 */
#include "sig/keyless/keyless.h"
#include "util/io.h"

#include <openssl/err.h>
#include <string.h>

#define ROOT_TYPE   "application/vnd.dev.sigstore.trustedroot"
#define CONFIG_TYPE "application/vnd.dev.sigstore.clienttrustconfig"
#define FILE_MAX    ((size_t)4 << 20)
#define LIST_MAX    256

static void free_logs(struct mih_sig_logs *logs)
{
	for (size_t i = 0; i < logs->n; i++) {
		EVP_PKEY_free(logs->at[i].key);
		free(logs->at[i].host);
	}
	free(logs->at);
}

static void free_authorities(struct mih_sig_authorities *list)
{
	for (size_t i = 0; i < list->n; i++)
		sk_X509_pop_free(list->at[i].chain, X509_free);
	free(list->at);
}

void mih_sig_root_free(struct mih_sig_root *root)
{
	if (!root)
		return;
	free_logs(&root->rekor);
	free_logs(&root->ct);
	free_authorities(&root->fulcio);
	free_authorities(&root->tsa);
	free(root);
}

static void put_root(struct mih_sig_root **root)
{
	mih_sig_root_free(*root);
}

/* --- one of each ------------------------------------------------------- */

static mih_err read_key(const struct mih_sig_json *node,
			struct mih_sig_log *log)
{
	mih_autobytes struct mih_sig_bytes der = { 0 };
	struct mih_sig_json key;
	const uint8_t *at;
	mih_err err = mih_sig_json_object(node, "publicKey", &key);

	if (!err)
		err = mih_sig_proto_bytes(&key, "rawBytes", 4096, &der);
	if (!err)
		err = mih_sig_proto_window(&key, &log->window);
	if (err)
		return err;
	at = der.at;
	log->key = d2i_PUBKEY(NULL, &at, (long)der.len);
	ERR_clear_error();
	if (!log->key || at != der.at + der.len)
		return mih_sig_json_fail(&key, "rawBytes",
					 "is not a DER public key");
	return 0;
}

/* Newer roots say apart what stands before signatures in checkpoints. */
static mih_err read_ids(const struct mih_sig_json *node,
			struct mih_sig_log *log)
{
	struct mih_sig_json id;
	mih_autobytes struct mih_sig_bytes hint = { 0 };
	mih_err err = mih_sig_json_object(node, "logId", &id);

	if (!err)
		err = mih_sig_proto_digest(&id, "keyId", sizeof(log->id),
					   log->id);
	if (err)
		return err;
	memcpy(log->hint, log->id, sizeof(log->hint));
	if (!mih_sig_json_has(node, "checkpointKeyId"))
		return 0;
	err = mih_sig_json_object(node, "checkpointKeyId", &id);
	if (!err)
		err = mih_sig_proto_bytes(&id, "keyId", 32, &hint);
	if (!err && hint.len < sizeof(log->hint))
		err = mih_sig_json_fail(&id, "keyId", "is too short");
	if (!err)
		memcpy(log->hint, hint.at, sizeof(log->hint));
	return err;
}

static mih_err read_host(const struct mih_sig_json *node,
			 struct mih_sig_log *log)
{
	const char *url = "", *host;
	mih_err err = 0;

	if (mih_sig_json_has(node, "baseUrl"))
		err = mih_sig_json_string(node, "baseUrl", &url);
	if (err)
		return err;
	host = strstr(url, "://");
	host = host ? host + 3 : url;
	log->host = strndup(host, strcspn(host, "/:?#"));
	return log->host ? 0 : mih_err_fail_errno(-ENOMEM, "%s", node->file);
}

static mih_err read_log(const struct mih_sig_json *node,
			struct mih_sig_log *log)
{
	mih_err err = 0;

	if (mih_sig_json_has(node, "hashAlgorithm"))
		err = mih_sig_json_is(node, "hashAlgorithm", "SHA2_256");
	if (!err)
		err = read_key(node, log);
	if (!err)
		err = read_ids(node, log);
	return err ? err : read_host(node, log);
}

static mih_err read_authority(const struct mih_sig_json *node,
			      struct mih_sig_authority *authority)
{
	struct mih_sig_json chain;
	mih_err err = mih_sig_json_object(node, "certChain", &chain);

	if (!err)
		err = mih_sig_x509_list_from_json(&chain, &authority->chain);
	return err ? err : mih_sig_proto_window(node, &authority->window);
}

/* --- lists of them ----------------------------------------------------- */

/* Memory for as many as the list @key has; absent: none. */
static mih_err open_list(const struct mih_sig_json *node, const char *key,
			 size_t each, struct mih_sig_json *array,
			 void **room_out)
{
	mih_err err;

	*array = (struct mih_sig_json){ .value = NULL };
	*room_out = NULL;
	if (!mih_sig_json_has(node, key))
		return 0;
	err = mih_sig_json_array(node, key, array);
	if (err)
		return err;
	if (json_array_size(array->value) > LIST_MAX)
		return mih_sig_json_fail(array, "", "has more than %d",
					 LIST_MAX);
	*room_out = calloc(json_array_size(array->value) + 1, each);
	return *room_out ? 0 : mih_err_fail_errno(-ENOMEM, "%s", node->file);
}

static mih_err read_logs(const struct mih_sig_json *node, const char *key,
			 struct mih_sig_logs *logs)
{
	struct mih_sig_json array, one;
	void *room;
	mih_err err = open_list(node, key, sizeof(*logs->at), &array, &room);

	logs->at = room;
	for (size_t i = 0; !err && i < json_array_size(array.value); i++) {
		err = mih_sig_json_element(&array, i, &one);
		logs->n++;
		if (!err)
			err = read_log(&one, &logs->at[i]);
	}
	return err;
}

static mih_err read_authorities(const struct mih_sig_json *node,
				const char *key,
				struct mih_sig_authorities *list)
{
	struct mih_sig_json array, one;
	void *room;
	mih_err err = open_list(node, key, sizeof(*list->at), &array, &room);

	list->at = room;
	for (size_t i = 0; !err && i < json_array_size(array.value); i++) {
		err = mih_sig_json_element(&array, i, &one);
		list->n++;
		if (!err)
			err = read_authority(&one, &list->at[i]);
	}
	return err;
}

/* --- the file ---------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static mih_err read_root(const struct mih_sig_json *node,
			 struct mih_sig_root *root)
{
	mih_err err = read_logs(node, "tlogs", &root->rekor);

	if (!err)
		err = read_logs(node, "ctlogs", &root->ct);
	if (!err)
		err = read_authorities(node, "certificateAuthorities",
				       &root->fulcio);
	if (!err)
		err =
		    read_authorities(node, "timestampAuthorities", &root->tsa);
	if (err)
		return err;
	if (root->fulcio.n == 0)
		return mih_sig_json_fail(node, "certificateAuthorities",
					 "is empty");
	if (root->rekor.n == 0)
		return mih_sig_json_fail(node, "tlogs", "is empty");
	return 0;
}

mih_err mih_sig_root_parse(const struct mih_sig_text *text,
			   struct mih_sig_root **root_out)
{
	MIH_CLEANUP(put_root)
	struct mih_sig_root *root = calloc(1, sizeof(*root));
	mih_autojson json_t *json = NULL;
	struct mih_sig_json top = { .file = text->file }, inner;
	const char *type;
	mih_err err = 0;

	if (!root)
		return mih_err_fail_errno(-ENOMEM, "%s", text->file);
	err = mih_sig_json_load_at(text, "", &json);
	top.value = json;
	if (!err)
		err = mih_sig_json_string(&top, "mediaType", &type);
	if (err)
		return err;
	inner = top;
	if (begins(type, CONFIG_TYPE))
		err = mih_sig_json_object(&top, "trustedRoot", &inner);
	if (!err)
		err = mih_sig_json_string(&inner, "mediaType", &type);
	if (!err && !begins(type, ROOT_TYPE))
		err = mih_sig_json_fail(&inner, "mediaType",
					"is '%.80s', not that of a trusted "
					"root",
					type);
	if (!err)
		err = read_root(&inner, root);
	if (!err)
		*root_out = MIH_STEAL(&root);
	return err;
}

mih_err mih_sig_root_read(const char *path, struct mih_sig_root **root_out)
{
	mih_autofree char *text = NULL;
	struct mih_sig_text all = { .file = path };
	mih_err err = mih_io_read_file(path, FILE_MAX, &text, &all.len);

	all.text = text;
	return err ? err : mih_sig_root_parse(&all, root_out);
}

/* --- what is done with logs -------------------------------------------- */

const struct mih_sig_log *mih_sig_log_find(const struct mih_sig_logs *logs,
					   const uint8_t id[32])
{
	for (size_t i = 0; i < logs->n; i++)
		if (!memcmp(logs->at[i].id, id, 32))
			return &logs->at[i];
	return NULL;
}

/* Each kind of key has one hash; no others are used by logs. */
static bool find_md(EVP_PKEY *key, const EVP_MD **md_out)
{
	char group[64] = "";

	*md_out = NULL;
	if (EVP_PKEY_is_a(key, "ED25519"))
		return true;
	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
		return false;
	if (!strcmp(group, "prime256v1"))
		*md_out = EVP_sha256();
	else if (!strcmp(group, "secp384r1"))
		*md_out = EVP_sha384();
	return *md_out;
}

bool mih_sig_log_verify(const struct mih_sig_log *log, const uint8_t *sig,
			size_t sig_len, const void *text, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md;
	bool good;

	good = ctx && find_md(log->key, &md) &&
	       EVP_DigestVerifyInit(ctx, NULL, md, NULL, log->key) == 1 &&
	       EVP_DigestVerify(ctx, sig, sig_len, text, len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}
