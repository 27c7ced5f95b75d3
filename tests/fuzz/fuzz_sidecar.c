/*
 * libFuzzer target: any bytes as a sidecar. contrib/fuzz.sh runs it.
 *
 * Checksums are made right before the input is read, or nothing behind them
 * would ever be reached.
 */
#include "tree/sidecar.h"
#include "tree/sidecar_format_internal.h"
#include "util/cleanup.h"
#include "util/io.h"

#include <stdio.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void forge_sums(uint8_t *bytes, size_t len)
{
	uint8_t *row = bytes + MIH_TREE_SC_H_TABLE;

	for (int i = 0; i < MIH_TREE_SC_SECTIONS; i++) {
		uint64_t off = mih_bytes_get64(row + MIH_TREE_SC_R_OFF);
		uint64_t n = mih_bytes_get64(row + MIH_TREE_SC_R_NBYTES);

		if (off <= len && n <= len - off)
			mih_tree_sc_put_sum(
			    row + MIH_TREE_SC_R_SUM,
			    XXH3_128bits(bytes + off, (size_t)n));
		row += MIH_TREE_SC_R_LEN;
	}
	mih_tree_sc_put_sum(bytes + MIH_TREE_SC_H_SUM,
			    XXH3_128bits(bytes, MIH_TREE_SC_H_SUM));
}

/* Both ends of what an entry claims to hold must be there. */
static void read_ends(const struct mih_tree_sidecar *sc,
		      const struct mih_tree_entry *e)
{
	uint64_t groups = mih_hash_ngroups(e->nbytes);
	uint64_t pages = mih_tree_npages(e->nbytes);
	uint64_t hints = mih_tree_sc_nhints(e->nbytes);
	uint8_t node[MIH_HASH_LEN_MAX];

	if (groups > 0 &&
	    (mih_tree_sidecar_read_fine(sc, e, 0, 1, node) ||
	     mih_tree_sidecar_read_fine(sc, e, groups - 1, 1, node) ||
	     mih_tree_sidecar_read_coarse(sc, e, pages - 1, 1, node)))
		abort();
	if (e->has_hints && hints > 0 &&
	    mih_tree_sidecar_read_hints(sc, e, hints - 1, 1, node))
		abort();
	if (mih_tree_sidecar_read_fine(sc, e, groups, 1, node) != -EINVAL)
		abort();
}

/* Ask for the path of each entry with the size that it claims. */
static void find_all(const struct mih_tree_sidecar *sc, const uint8_t *bytes,
		     size_t len)
{
	const uint8_t *paths = bytes + MIH_TREE_SC_H_TABLE + MIH_TREE_SC_R_LEN;
	uint64_t base = mih_bytes_get64(paths + MIH_TREE_SC_R_OFF);
	size_t at = MIH_TREE_SC_H_LEN;

	for (; at + MIH_TREE_SC_E_LEN <= len && at < base;
	     at += MIH_TREE_SC_E_LEN) {
		const uint8_t *e = bytes + at;
		uint64_t off = mih_bytes_get64(e + MIH_TREE_SC_E_PATH);
		uint32_t n = mih_bytes_get32(e + MIH_TREE_SC_E_PATHLEN);
		struct mih_tree_entry entry;
		char name[256] = "a";

		if (base <= len && off <= len - base && n < sizeof(name) &&
		    n <= len - base - off)
			memcpy(name, bytes + base + off, n);
		if (!mih_tree_sidecar_find(
			sc, name, (enum mih_hash_alg)e[MIH_TREE_SC_E_ALG],
			mih_bytes_get64(e + MIH_TREE_SC_E_NBYTES), &entry))
			read_ends(sc, &entry);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	mih_autoclose int fd = memfd_create("sidecar", MFD_CLOEXEC);
	mih_autofree uint8_t *bytes = malloc(len + 1);
	struct mih_tree_sidecar *sc;
	char name[64];

	if (fd < 0 || !bytes || len < MIH_TREE_SC_H_LEN)
		return 0;
	memcpy(bytes, data, len);
	forge_sums(bytes, len);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (mih_io_pwrite_full(fd, bytes, len, 0) ||
	    mih_tree_sidecar_open(name, NULL, &sc))
		return 0;
	find_all(sc, bytes, len);
	(void)mih_tree_sidecar_diagnose(sc);
	mih_tree_sidecar_close(sc);
	return 0;
}
