#include "hash/lthash.h"
#include "hash/core/blake2b.h"
#include "util/bytes.h"
#include "util/checked.h"

#define B2_OUT	 64
#define B2_BLOCK 128

static void b2_block(struct mih_hash_blake2b *b2, uint64_t last)
{
	uint64_t w[16];

	for (size_t i = 0; i < 16; i++)
		w[i] = mih_bytes_get64(b2->block + 8 * i);
	b2->count += b2->fill;
	mih_blake2b_compress(b2->state, w, b2->count, last);
	b2->fill = 0;
}

/* A full block waits until it is known not to be the last. */
static void b2_update(struct mih_hash_blake2b *b2, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		size_t take = MIH_MIN(len, (size_t)(B2_BLOCK - b2->fill));

		if (!take) {
			b2_block(b2, 0);
			continue;
		}
		memcpy(b2->block + b2->fill, p, take);
		b2->fill += (uint32_t)take;
		p += take;
		len -= take;
	}
}

static void b2_final(struct mih_hash_blake2b *b2, uint8_t out[B2_OUT])
{
	memset(b2->block + b2->fill, 0, B2_BLOCK - b2->fill);
	b2_block(b2, UINT64_MAX);
	for (size_t i = 0; i < 8; i++)
		mih_bytes_put64(out + 8 * i, b2->state[i]);
}

/* The parameter block is three words and zeros: @w0 holds digest length,
 * key length, fanout, depth and leaf length; @w1 node offset and total output
 * length; @w2 node depth and inner length. */
static void b2_init(struct mih_hash_blake2b *b2, uint64_t w0, uint64_t w1,
		    uint64_t w2)
{
	mih_blake2b_init(b2->state, w0);
	b2->state[1] ^= w1;
	b2->state[2] ^= w2;
	b2->count = 0;
	b2->fill = 0;
}

static void b2x_init(struct mih_hash_blake2b *b2, uint32_t outlen)
{
	b2_init(b2, MIH_BLAKE2B_PARAM0, (uint64_t)outlen << 32, 0);
}

/* Output node i is one more hash of the root hash, numbered i. */
static void b2x_final(struct mih_hash_blake2b *b2, uint8_t *out,
		      uint32_t outlen)
{
	uint8_t root[B2_OUT], node[B2_OUT];
	uint64_t xof = (uint64_t)outlen << 32;

	b2_final(b2, root);
	for (uint32_t i = 0; outlen; i++) {
		uint32_t take = MIH_MIN(outlen, (uint32_t)B2_OUT);

		b2_init(b2, take | (uint64_t)B2_OUT << 32, xof | i,
			B2_OUT << 8);
		b2_update(b2, root, B2_OUT);
		b2_final(b2, node);
		memcpy(out, node, take);
		out += take;
		outlen -= take;
	}
}

void mih_hash_blake2xb(const void *msg, size_t len, uint8_t *out,
		       uint32_t outlen)
{
	struct mih_hash_blake2b b2;

	b2x_init(&b2, outlen);
	b2_update(&b2, msg, len);
	b2x_final(&b2, out, outlen);
}

void mih_hash_lt_prefix(const char *path, struct mih_hash_blake2b *prefix_out)
{
	static const char domain[] = "mihfs lthash16 v1"; /* with its NUL */
	size_t path_len = strlen(path);
	uint8_t number[4];

	b2x_init(prefix_out, MIH_HASH_LT_LEN);
	b2_update(prefix_out, domain, sizeof(domain));
	mih_bytes_put32(number, (uint32_t)path_len);
	b2_update(prefix_out, number, 4);
	b2_update(prefix_out, path, path_len);
}

void mih_hash_lt_element_of(const struct mih_hash_blake2b *prefix, uint64_t off,
			    uint64_t nbytes, const uint8_t digest[32],
			    uint8_t out[MIH_HASH_LT_LEN])
{
	struct mih_hash_blake2b b2 = *prefix;
	uint8_t numbers[16];

	mih_bytes_put64(numbers, off);
	mih_bytes_put64(numbers + 8, nbytes);
	b2_update(&b2, numbers, 16);
	b2_update(&b2, digest, 32);
	b2x_final(&b2, out, MIH_HASH_LT_LEN);
}

void mih_hash_lt_element(const char *path, uint64_t off, uint64_t nbytes,
			 const uint8_t digest[32], uint8_t out[MIH_HASH_LT_LEN])
{
	struct mih_hash_blake2b prefix;

	mih_hash_lt_prefix(path, &prefix);
	mih_hash_lt_element_of(&prefix, off, nbytes, digest, out);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

void mih_hash_lt_add(uint8_t sum[MIH_HASH_LT_LEN],
		     const uint8_t element[MIH_HASH_LT_LEN])
{
	for (size_t i = 0; i < MIH_HASH_LT_LEN; i += 2)
		put16(sum + i, (unsigned)get16(sum + i) + get16(element + i));
}

void mih_hash_lt_sub(uint8_t sum[MIH_HASH_LT_LEN],
		     const uint8_t element[MIH_HASH_LT_LEN])
{
	for (size_t i = 0; i < MIH_HASH_LT_LEN; i += 2)
		put16(sum + i, (unsigned)get16(sum + i) - get16(element + i));
}
