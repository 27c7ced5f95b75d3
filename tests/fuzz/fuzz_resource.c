/*
 * libFuzzer target: any bytes as one resource of a statement. What is read
 * without the JSON library must be what the library reads: else it is a crash.
 * In whole bundles too few changes would fall into one. contrib/fuzz.sh runs
 * it.
 */
#include "sig/sig_internal.h"
#include "util/bytes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_text(const json_t *object, const char *key, const char *want)
{
	const char *got = json_string_value(json_object_get(object, key));

	if (!got || strcmp(got, want))
		abort();
}

static void same_hex(const json_t *object, const char *key, const uint8_t *want,
		     size_t len)
{
	char hex[2 * MIH_HASH_LEN_MAX + 1];

	mih_bytes_to_hex(want, len, hex);
	same_text(object, key, hex);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mih_sig_text text = { "fuzz", (const char *)data, size };
	struct mih_sig_resource res = { .name = NULL };
	mih_autojson json_t *json = NULL;
	const json_t *note;

	if (mih_sig_plain_read(&text, MIH_HASH_SHA256, &res)) {
		json =
		    json_loadb(text.text, size, JSON_REJECT_DUPLICATES, NULL);
		same_text(json, "name", res.name);
		same_text(json, "algorithm", "sha256");
		same_hex(json, "digest", res.digest, 32);
		note = json_object_get(json_object_get(json, "annotations"),
				       "mihfs");
		if ((note != NULL) != (res.tree != MIH_HASH_NONE))
			abort();
		if (note) {
			same_hex(note, "root", res.root,
				 mih_hash_info(res.tree)->len);
			same_text(note, "tree", mih_hash_info(res.tree)->name);
			if ((uint64_t)json_integer_value(
				json_object_get(note, "size")) != res.nbytes)
				abort();
		}
	}
	free(res.name);
	return 0;
}
