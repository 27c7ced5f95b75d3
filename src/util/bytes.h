/*
 * util/bytes.h - little-endian integers in memory, and lowercase hex
 *
 * Layer: src/util.  Threads: no state.
 */
#ifndef MIH_UTIL_BYTES_H
#define MIH_UTIL_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t mih_bytes_get32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t mih_bytes_get64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void mih_bytes_put32(void *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void mih_bytes_put64(void *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

/**
 * mih_bytes_to_hex() - write @len bytes as 2 * @len lowercase digits and a NUL
 * @bytes: @len bytes
 * @len:   number of bytes
 * @out:   2 * @len + 1 bytes
 */
void mih_bytes_to_hex(const uint8_t *bytes, size_t len, char *out);

/**
 * mih_bytes_from_hex() - strict inverse of mih_bytes_to_hex()
 * @hex:  text; exactly 2 * @len lowercase digits, then NUL
 * @len:  number of bytes wanted
 * @out:  @len bytes; undefined on failure
 *
 * Return: true if @hex had exactly that form.
 */
bool mih_bytes_from_hex(const char *hex, size_t len, uint8_t *out);

#endif
