/*
 * libFuzzer target: any bytes as the header of a safetensors file.
 * contrib/fuzz.sh runs it.
 *
 * The first byte says in what pieces the header comes, the second how much lies
 * behind it; for an even one the length that it begins with is made right, or
 * nothing behind that would ever be reached.
 */
#include "util/checked.h"
#include "util/cleanup.h"
#include "verify/ahead/ahead_internal.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void forge_length(uint8_t *bytes, size_t len)
{
	for (unsigned i = 0; i < LENGTH; i++)
		bytes[i] = (uint8_t)((uint64_t)(len - LENGTH) >> (8 * i));
}

static struct mih_verify_tensors *read_by(const uint8_t *bytes, size_t len,
					  uint64_t nbytes, size_t step)
{
	struct mih_verify_header header;

	mih_verify_header_init(&header, nbytes);
	for (size_t at = 0; at < len; at += step) {
		uint64_t left = mih_verify_header_left(&header);

		if (left > nbytes - at)
			abort();
		mih_verify_header_feed(&header, bytes + at,
				       MIH_MIN(step, len - at));
	}
	return mih_verify_header_end(&header);
}

static void check(const struct mih_verify_tensors *tensors, uint64_t nbytes)
{
	uint64_t before = LENGTH;

	for (size_t i = 0; i < tensors->n; i++) {
		const struct mih_verify_range *one = &tensors->at[i];

		if (one->begin < before || one->end <= one->begin ||
		    one->end > nbytes)
			abort();
		if (mih_verify_tensors_first(tensors, before, nbytes) != one ||
		    mih_verify_tensors_around(tensors, one->end - 1) != one ||
		    mih_verify_tensors_around(tensors, one->begin) != one)
			abort();
		before = one->end;
	}
	if (mih_verify_tensors_around(tensors, before))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	mih_autofree uint8_t *bytes = malloc(len + 1);
	struct mih_verify_tensors *whole, *pieces;
	uint64_t nbytes;
	size_t step;

	if (!bytes || len < 2 + LENGTH)
		return 0;
	step = data[0] + (size_t)1;
	nbytes = len - 2 + data[1];
	len -= 2;
	memcpy(bytes, data + 2, len);
	if (data[1] % 2 == 0)
		forge_length(bytes, len);
	whole = read_by(bytes, len, nbytes, len);
	pieces = read_by(bytes, len, nbytes, step);
	if (!whole != !pieces)
		abort();
	if (whole) {
		check(whole, nbytes);
		if (whole->n != pieces->n ||
		    memcmp(whole->at, pieces->at,
			   whole->n * sizeof(whole->at[0])))
			abort();
	}
	free(whole);
	free(pieces);
	return 0;
}
