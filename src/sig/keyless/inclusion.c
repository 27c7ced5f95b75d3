/*
 * RFC 6962 trees: SHA-256, a byte 0 before leaves and 1 before nodes.
 */
#include "sig/keyless/keyless.h"
#include "util/bytes.h"

#include <inttypes.h>
#include <string.h>

static bool hash_leaf(const struct mih_sig_bytes *body, uint8_t hash[32])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	static const uint8_t zero;
	bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(ctx, &zero, 1) == 1 &&
		    EVP_DigestUpdate(ctx, body->at, body->len) == 1 &&
		    EVP_DigestFinal_ex(ctx, hash, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

/* @out may be one of the two. */
static bool hash_node(const uint8_t left[32], const uint8_t right[32],
		      uint8_t out[32])
{
	uint8_t text[65] = { 1 };

	memcpy(text + 1, left, 32);
	memcpy(text + 33, right, 32);
	return EVP_Q_digest(NULL, "SHA256", NULL, text, sizeof(text), out,
			    NULL) == 1;
}

bool mih_sig_inclusion_root(const struct mih_sig_entry *entry, uint8_t root[32])
{
	uint64_t at = (uint64_t)entry->index;
	uint64_t last = (uint64_t)entry->size - 1;

	if (entry->index >= entry->size || !hash_leaf(&entry->body, root))
		return false;
	for (size_t i = 0; i < entry->npath; i++) {
		const uint8_t *other = entry->path[i];
		bool is_right = (at & 1) || at == last;

		if (last == 0 || !hash_node(is_right ? other : root,
					    is_right ? root : other, root))
			return false;
		/* A right edge without a sibling goes up unpaired. */
		while (is_right && !(at & 1) && at != 0) {
			at >>= 1;
			last >>= 1;
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0;
}

mih_err mih_sig_inclusion_check(const struct mih_sig_check *check,
				const struct mih_sig_entry *entry)
{
	uint8_t root[32];
	char found[65], want[65];

	if (!mih_sig_inclusion_root(entry, root))
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: inclusion proof: %zu hashes cannot "
				    "prove entry %" PRId64 " of %" PRId64,
				    check->bundle->file, entry->npath,
				    entry->index, entry->size);
	if (!CRYPTO_memcmp(root, entry->root, sizeof(root)))
		return 0;
	mih_bytes_to_hex(root, sizeof(root), found);
	mih_bytes_to_hex(entry->root, sizeof(root), want);
	return mih_err_fail(MIH_EUNTRUSTED,
			    "%s: inclusion proof: leads to root hash %s, not "
			    "%s",
			    check->bundle->file, found, want);
}
