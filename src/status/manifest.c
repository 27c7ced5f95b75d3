#include "status/manifest.h"
#include "status/documents.h"
#include "status/status_internal.h"
#include "util/bytes.h"
#include "util/out/json.h"

#include <stdio.h>

_Static_assert(MIH_STATUS_DIGEST_ROOM > 2 * MIH_HASH_LEN_MAX, "digits");

static bool by_tree(const struct mih_verify_file *file)
{
	return file->proof == MIH_VERIFY_BY_TREE;
}

const char *mih_status_algorithm(const struct mih_verify_file *file)
{
	return mih_hash_info(by_tree(file) ? file->tree : file->resource->alg)
	    ->name;
}

void mih_status_digest(const struct mih_verify_file *file,
		       char text[MIH_STATUS_DIGEST_ROOM])
{
	const struct mih_sig_resource *resource = file->resource;

	if (resource->nshards)
		snprintf(text, MIH_STATUS_DIGEST_ROOM, "%zu shards",
			 resource->nshards);
	else if (by_tree(file))
		mih_bytes_to_hex(file->root, mih_hash_info(file->tree)->len,
				 text);
	else
		mih_bytes_to_hex(resource->digest,
				 mih_hash_info(resource->alg)->len, text);
}

static void write_file(struct mih_buffer *out,
		       const struct mih_verify_file *file)
{
	char digest[MIH_STATUS_DIGEST_ROOM];

	mih_status_digest(file, digest);
	mih_json_begin(out, NULL, '{');
	mih_json_text(out, "path", file->path);
	mih_json_number(out, "bytes", file->nbytes);
	mih_json_flag(out, "size_is_signed", file->proof != MIH_VERIFY_BY_FLAT);
	mih_json_text(out, "algorithm", mih_status_algorithm(file));
	mih_json_text(out, "digest", digest);
	mih_json_end(out, '}');
	mih_buffer_text(out, "\n");
}

mih_err mih_status_manifest(struct mih_status *status, struct mih_buffer *out)
{
	const struct mih_status_served *newest;

	pthread_mutex_lock(&status->lock);
	newest = STAILQ_FIRST(&status->served);
	for (size_t i = 0; newest && i < newest->model->nfiles; i++)
		write_file(out, &newest->model->files[i]);
	pthread_mutex_unlock(&status->lock);
	return mih_buffer_end(out);
}
