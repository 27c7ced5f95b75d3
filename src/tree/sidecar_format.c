#include "tree/sidecar_format_internal.h"
#include "util/cleanup.h"
#include "util/io.h"

#define SUM_PIECE ((size_t)256 << 10)

mih_err mih_tree_sc_sum_file(int fd, uint64_t off, uint64_t nbytes,
			     uint8_t *sum)
{
	mih_autofree uint8_t *buf = malloc(SUM_PIECE);
	XXH3_state_t state;

	if (!buf)
		return -ENOMEM;
	XXH3_INITSTATE(&state);
	XXH3_128bits_reset(&state);
	while (nbytes > 0) {
		size_t n = (size_t)MIH_MIN(nbytes, (uint64_t)SUM_PIECE);
		mih_err err = mih_io_pread_full(fd, buf, n, off);

		if (err)
			return err;
		XXH3_128bits_update(&state, buf, n);
		off += n;
		nbytes -= n;
	}
	mih_tree_sc_put_sum(sum, XXH3_128bits_digest(&state));
	return 0;
}
