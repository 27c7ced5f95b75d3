/*
 * SHA-NI: the processor's own SHA-256 rounds. One message is bound by their
 * latency; four interleaved ones keep the unit busy and double a core's rate.
 *
 * Source: Intel SDM volume 2, SHA256RNDS2, SHA256MSG1 and SHA256MSG2, which
 * want the state as words (C D G H) and (A B E F).
 */
#include "hash/paths/ops_internal.h"
#include "hash/core/sha256.h"
#include "util/checked.h"

#include <immintrin.h>

#define WIDTH  4
#define INLINE static inline __attribute__((always_inline))

struct abef {
	__m128i abef, cdgh;
};

INLINE __m128i swapped(__m128i x)
{
	return _mm_shuffle_epi8(
	    x, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

INLINE struct abef state_load(const uint32_t *words)
{
	__m128i dcba = _mm_loadu_si128((const __m128i *)words);
	__m128i hgfe = _mm_loadu_si128((const __m128i *)(words + 4));
	__m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
	__m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);

	return (struct abef){ .abef = _mm_alignr_epi8(cdab, efgh, 8),
			      .cdgh = _mm_blend_epi16(efgh, cdab, 0xf0) };
}

/* As 32 bytes, big-endian words. */
INLINE void state_store(struct abef state, uint8_t *out)
{
	__m128i feba = _mm_shuffle_epi32(state.abef, 0x1b);
	__m128i dchg = _mm_shuffle_epi32(state.cdgh, 0xb1);
	__m128i dcba = _mm_blend_epi16(feba, dchg, 0xf0);
	__m128i hgfe = _mm_alignr_epi8(dchg, feba, 8);

	_mm_storeu_si128((__m128i *)out, swapped(dcba));
	_mm_storeu_si128((__m128i *)(out + 16), swapped(hgfe));
}

/* Four rounds with words @w and constants from @k on. */
INLINE void rounds4(struct abef *s, __m128i w, const uint32_t *k)
{
	__m128i x = _mm_add_epi32(w, _mm_loadu_si128((const __m128i *)k));

	s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, x);
	x = _mm_shuffle_epi32(x, 0x0e);
	s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, x);
}

/* Words t .. t + 3 in the place of t - 16 .. t - 13, which are w[j]. */
INLINE void expand4(__m128i *w, int j)
{
	__m128i last = w[(j + 3) & 3];
	__m128i x = _mm_sha256msg1_epu32(w[j], w[(j + 1) & 3]);

	x = _mm_add_epi32(x, _mm_alignr_epi8(last, w[(j + 2) & 3], 4));
	w[j] = _mm_sha256msg2_epu32(x, last);
}

/* @n is a constant wherever this is called: every loop on it unrolls. */
INLINE void block(struct abef *s, const uint8_t **p, int n)
{
	struct abef before[WIDTH];
	__m128i w[WIDTH][4];

	MIH_UNROLL
	for (int i = 0; i < n; i++) {
		before[i] = s[i];
		MIH_UNROLL
		for (int j = 0; j < 4; j++)
			w[i][j] = swapped(
			    _mm_loadu_si128((const __m128i *)(p[i] + 16 * j)));
		p[i] += 64;
	}
	MIH_UNROLL
	for (int t = 0; t < 16; t++) {
		MIH_UNROLL
		for (int i = 0; i < n; i++) {
			if (t >= 4)
				expand4(w[i], t & 3);
			rounds4(&s[i], w[i][t & 3], mih_sha256_k + 4 * t);
		}
	}
	MIH_UNROLL
	for (int i = 0; i < n; i++) {
		s[i].abef = _mm_add_epi32(s[i].abef, before[i].abef);
		s[i].cdgh = _mm_add_epi32(s[i].cdgh, before[i].cdgh);
	}
}

static void blocks1(struct abef *s, const uint8_t *p, size_t nblocks)
{
	while (nblocks--)
		block(s, &p, 1);
}

/* The hardware's prefetch ends at each page, and so does a leaf: fetch what
 * lies as far into the next messages. @next may be @p. */
static void blocks4(struct abef *s, const uint8_t **p,
		    const uint8_t *const *next, size_t nblocks)
{
	for (size_t b = 0; b < nblocks; b++) {
		for (int i = 0; i < WIDTH; i++)
			__builtin_prefetch(next[i] + 64 * b);
		block(s, p, WIDTH);
	}
}

/*
 * A message behind its prefix byte: the head is the prefix and 63 bytes, the
 * body is read where it lies, the tail has the rest and the padding.
 */
struct framed {
	uint8_t head[64];
	uint8_t tail[128];
	const uint8_t *body;
};

/* How many blocks there are of each; the same for messages of one length. */
struct frame {
	size_t head, body, rest, tail;
};

static struct frame frame_of(uint32_t len)
{
	struct frame f = { .head = len >= 63 };

	f.body = f.head ? (len - 63) / 64 : 0;
	f.rest = f.head ? (len - 63) % 64 : len + 1;
	f.tail = f.rest < 56 ? 1 : 2;
	return f;
}

static void frame_message(struct framed *m, const struct frame *f,
			  const uint8_t *data, uint32_t len, uint32_t mark)
{
	uint64_t nbits = __builtin_bswap64(((uint64_t)len + 1) * 8);
	uint8_t *rest = m->tail;

	memset(m->tail, 0, sizeof(m->tail));
	if (f->head) {
		m->head[0] = (uint8_t)mark;
		memcpy(m->head + 1, data, 63);
		memcpy(rest, data + len - f->rest, f->rest);
	} else {
		rest[0] = (uint8_t)mark;
		memcpy(rest + 1, data, len);
	}
	rest[f->rest] = 0x80;
	memcpy(rest + 64 * f->tail - 8, &nbits, 8);
	m->body = data + 63;
}

static void run1(const struct mih_hash_msg *msg, uint32_t len, uint32_t mark)
{
	struct frame f = frame_of(len);
	struct abef state = state_load(mih_sha256_iv);
	struct framed m;

	frame_message(&m, &f, msg->data, len, mark);
	blocks1(&state, m.head, f.head);
	blocks1(&state, m.body, f.body);
	blocks1(&state, m.tail, f.tail);
	state_store(state, msg->out);
}

/* The first four of @n; the last one is repeated where there are fewer. */
static void run4(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		 uint32_t mark)
{
	size_t lot = MIH_MIN(n, (size_t)WIDTH);
	struct frame f = frame_of(len);
	struct abef state[WIDTH];
	struct framed m[WIDTH];
	const uint8_t *head[WIDTH], *body[WIDTH], *tail[WIDTH], *next[WIDTH];

	for (size_t i = 0; i < WIDTH; i++) {
		frame_message(&m[i], &f, msgs[MIH_MIN(i, n - 1)].data, len,
			      mark);
		state[i] = state_load(mih_sha256_iv);
		head[i] = m[i].head;
		body[i] = m[i].body;
		tail[i] = m[i].tail;
		next[i] = msgs[MIH_MIN(i + WIDTH, n - 1)].data;
	}
	blocks4(state, head, head, f.head);
	blocks4(state, body, next, f.body);
	blocks4(state, tail, tail, f.tail);
	for (size_t i = 0; i < lot; i++)
		state_store(state[i], msgs[i].out);
}

static void sha256_run(const struct mih_hash_msg *msgs, size_t n, uint32_t len,
		       uint32_t mark)
{
	while (n) {
		size_t lot = MIH_MIN(n, (size_t)WIDTH);

		if (lot == 1)
			run1(msgs, len, mark);
		else
			run4(msgs, n, len, mark);
		msgs += lot;
		n -= lot;
	}
}

static struct abef segment_state(const struct mih_hash_segment *segment)
{
	uint32_t words[8];

	memcpy(words, segment->state, sizeof(words));
	for (int i = 0; i < 8; i++)
		words[i] = __builtin_bswap32(words[i]);
	return state_load(words);
}

/* @n is a constant, as for block(). */
INLINE void long_blocks(struct abef *s, const uint8_t **p, int n,
			size_t nblocks)
{
	while (nblocks--) {
		MIH_UNROLL
		for (int i = 0; i < n; i++)
			__builtin_prefetch(p[i] + MIH_HASH_FETCH);
		block(s, p, n);
	}
}

static void segments_run(struct mih_hash_segment *const *segments, size_t n,
			 size_t nblocks)
{
	struct abef state[WIDTH];
	const uint8_t *p[WIDTH];

	for (size_t i = 0; i < n; i++) {
		p[i] = segments[i]->data;
		state[i] = segment_state(segments[i]);
	}
	if (n == 1)
		long_blocks(state, p, 1, nblocks);
	else if (n == 2)
		long_blocks(state, p, 2, nblocks);
	else if (n == 3)
		long_blocks(state, p, 3, nblocks);
	else
		long_blocks(state, p, WIDTH, nblocks);
	for (size_t i = 0; i < n; i++) {
		state_store(state[i], segments[i]->state);
		segments[i]->data =
		    (const uint8_t *)segments[i]->data + 64 * nblocks;
		segments[i]->nblocks -= nblocks;
	}
}

const struct mih_hash_ops mih_hash_shani_ops = {
	.run = { [MIH_HASH_CORE_SHA256] = sha256_run },
	.segments = segments_run,
	.segment_width = WIDTH,
};
