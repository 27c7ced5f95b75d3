#include "lib/model.h"
#include "hash/group.h"
#include "hash/stream.h"
#include "sig/bundle.h"
#include "tree/sidecar_write.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/io.h"

#include <fcntl.h>
#include <ftw.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE ((size_t)1 << 20)

void mih_test_die(const char *what)
{
	printf("Bail out! %s: %s (%s)\n", what, strerror(errno),
	       mih_err_message());
	exit(1);
}

static void must(bool ok, const char *what)
{
	if (!ok)
		mih_test_die(what);
}

/* splitmix64 of (file, position / 8): no two groups are alike. */
static uint64_t word(size_t i, uint64_t at)
{
	uint64_t z = (i << 48) + at * 0x9e3779b97f4a7c15u + 1;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void mih_test_model_bytes(size_t i, uint64_t off, size_t len, void *buf)
{
	uint8_t *out = buf;
	size_t at = 0;

	while (at < len && (off + at) % 8) {
		out[at] =
		    (uint8_t)(word(i, (off + at) / 8) >> (off + at) % 8 * 8);
		at++;
	}
	for (; at + 8 <= len; at += 8) {
		uint64_t w = htole64(word(i, (off + at) / 8));

		memcpy(out + at, &w, 8);
	}
	for (; at < len; at++)
		out[at] =
		    (uint8_t)(word(i, (off + at) / 8) >> (off + at) % 8 * 8);
}

const char *mih_test_model_path(const struct mih_test_model *model, size_t i)
{
	static _Thread_local char path[512];

	if (model->params.single)
		return model->dir;
	snprintf(path, sizeof(path), "%s/%s", model->dir,
		 model->params.files[i].path);
	return path;
}

void mih_test_flip(const char *path, uint64_t off)
{
	mih_autoclose int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte = 0;

	must(fd >= 0 && mih_io_pread_full(fd, &byte, 1, off) == 0, path);
	byte ^= 0x10;
	must(mih_io_pwrite_full(fd, &byte, 1, off) == 0, path);
}

static void make_folders(const char *path)
{
	char copy[512];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *c = copy + 1; *c; c++)
		if (*c == '/') {
			*c = '\0';
			must(mkdir(copy, 0755) == 0 || errno == EEXIST, copy);
			*c = '/';
		}
}

/* Write one file, and take its digests on the way. */
static void make_file(const struct mih_test_model *model, size_t i,
		      struct mih_tree_writer *writer,
		      struct mih_sig_resource *resource)
{
	const struct mih_test_file *file = &model->params.files[i];
	enum mih_hash_alg tree = resource->tree;
	const char *path = mih_test_model_path(model, i);
	mih_autofree uint8_t *buf = malloc(PIECE);
	uint8_t digests[16 * MIH_HASH_LEN_MAX];
	struct mih_hash_stream *flat;
	mih_autoclose int fd = -1;

	make_folders(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	must(fd >= 0 && buf, path);
	must(!mih_hash_stream_new(resource->alg, &flat), path);
	if (tree == MIH_HASH_NONE)
		tree = resource->alg == MIH_HASH_BLAKE3 ? MIH_HASH_BLAKE3
							: MIH_HASH_MTH4K_SHA256;
	for (uint64_t off = 0; off < file->nbytes; off += PIECE) {
		struct mih_hash_range range = {
			.data = buf,
			.len = MIH_MIN(file->nbytes - off, PIECE),
			.off = off,
			.is_root = file->nbytes <= MIH_HASH_GROUP,
		};

		mih_test_model_bytes(i, off, range.len, buf);
		if (!off && file->head)
			memcpy(buf, file->head, file->head_len);
		must(!mih_io_pwrite_full(fd, buf, range.len, off), path);
		must(!mih_hash_stream_update(flat, buf, range.len), path);
		mih_hash_groups(tree, &range, 1, digests);
		must(!mih_tree_writer_put(writer, i, off / MIH_HASH_GROUP,
					  digests, mih_hash_ngroups(range.len)),
		     path);
	}
	must(!mih_hash_stream_final(flat, resource->digest), path);
	mih_hash_stream_free(flat);
	must(!mih_tree_writer_root(writer, i, resource->root), path);
}

static void make_key(const struct mih_test_model *model)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *f = fopen(model->key, "w");

	must(key && f &&
		 PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL),
	     model->key);
	fclose(f);
	f = fopen(model->pub, "w");
	must(f && PEM_write_PUBKEY(f, key), model->pub);
	fclose(f);
	EVP_PKEY_free(key);
}

static void sign(const struct mih_test_model *model,
		 const struct mih_sig_manifest *manifest)
{
	struct mih_sig_signer signer = { .key_path = model->key };
	mih_autofree char *text = NULL;
	struct mih_sig_key *key;
	size_t len;

	must(!mih_sig_key_load(&signer, &key), "key");
	must(!mih_sig_bundle_sign(manifest, key, &text, &len), "sign");
	must(!mih_io_write_file(model->bundle, text, len, 0644), "bundle");
	mih_sig_key_free(key);
}

static struct mih_tree_writer *start_sidecar(const struct mih_test_model *model,
					     struct mih_tree_source *sources)
{
	const struct mih_test_model_params *params = &model->params;
	enum mih_hash_alg tree = params->tree;
	struct mih_tree_writer *writer;

	if (tree == MIH_HASH_NONE)
		tree = params->flat == MIH_HASH_BLAKE3 ? MIH_HASH_BLAKE3
						       : MIH_HASH_MTH4K_SHA256;
	for (size_t i = 0; i < params->nfiles; i++)
		sources[i] = (struct mih_tree_source){
			.path = params->files[i].path,
			.nbytes = params->files[i].nbytes,
		};
	must(!mih_tree_writer_open(params->no_sidecar ? NULL : model->sidecar,
				   tree, sources, params->nfiles, &writer),
	     "sidecar");
	return writer;
}

static void make_contents(const struct mih_test_model *model)
{
	const struct mih_test_model_params *params = &model->params;
	struct mih_tree_source *sources =
	    calloc(params->nfiles, sizeof(*sources));
	struct mih_sig_manifest manifest = {
		.model_name = strdup("test"),
		.resources =
		    calloc(params->nfiles, sizeof(*manifest.resources)),
		.nresources = params->nfiles,
	};
	struct mih_tree_writer *writer = start_sidecar(model, sources);

	for (size_t i = 0; i < params->nfiles; i++) {
		struct mih_sig_resource *resource = &manifest.resources[i];

		resource->name = strdup(params->files[i].path);
		resource->alg = params->flat;
		resource->tree = params->tree;
		resource->nbytes = params->files[i].nbytes;
		make_file(model, i, writer, resource);
	}
	if (params->no_sidecar)
		mih_tree_writer_abort(writer);
	else
		must(!mih_tree_writer_finish(writer), "sidecar");
	sign(model, &manifest);
	for (size_t i = 0; i < params->nfiles; i++)
		free(manifest.resources[i].name);
	free(manifest.resources);
	free(manifest.model_name);
	free(sources);
}

void mih_test_model_make(struct mih_test_model *model,
			 const struct mih_test_model_params *params)
{
	*model = (struct mih_test_model){ .params = *params };
	strcpy(model->root, "/tmp/mihfs-test-XXXXXX");
	must(mkdtemp(model->root), model->root);
	snprintf(model->dir, sizeof(model->dir), "%s/%s", model->root,
		 params->single ? params->files[0].path : "model");
	snprintf(model->bundle, sizeof(model->bundle), "%s/signed.json",
		 model->root);
	snprintf(model->sidecar, sizeof(model->sidecar), "%s/signed.json.tree",
		 model->root);
	snprintf(model->key, sizeof(model->key), "%s/key.pem", model->root);
	snprintf(model->pub, sizeof(model->pub), "%s/key.pub", model->root);
	if (!params->single)
		must(mkdir(model->dir, 0755) == 0, model->dir);
	make_key(model);
	make_contents(model);
	model->trust = mih_sig_trust_new();
	must(model->trust && !mih_sig_trust_add_key(model->trust, model->pub),
	     "trust");
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void mih_test_model_remove(struct mih_test_model *model)
{
	must(nftw(model->root, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0,
	     model->root);
	mih_sig_trust_free(model->trust);
}

struct mih_verify_model *mih_test_model_open(const struct mih_test_model *model)
{
	const struct mih_verify_model_params params = {
		.bundle = model->bundle,
		.dir = model->dir,
		.trust = model->trust,
	};
	struct mih_verify_model *opened;

	must(!mih_verify_model_open(&params, &opened), "model");
	return opened;
}
