/*
 * hash/path.h - which implementation of the cores runs
 *
 * Layer: src/hash.  Threads: choose before other threads hash; reading is free.
 *
 * A "path" is one way of running every core: portable C, SHA-NI with four
 * messages interleaved (sha256 only; the rest falls to the best other path),
 * AVX2 lanes, AVX-512 lanes. The best one the processor has is chosen at first
 * use, per algorithm. For sha256 SHA-NI and AVX-512 are both used where AVX-512
 * is faster at many messages, which is measured once, in 0.3 ms.
 */
#ifndef MIH_HASH_PATH_H
#define MIH_HASH_PATH_H

#include "hash/alg.h"
#include "util/err.h"

enum mih_hash_path {
	MIH_HASH_PATH_AUTO,
	MIH_HASH_PATH_PORTABLE,
	MIH_HASH_PATH_AVX2,
	MIH_HASH_PATH_AVX512,
	MIH_HASH_PATH_SHANI,
	MIH_HASH_PATH_END
};

/** mih_hash_path_name() - "portable", "avx2", "avx512", "shani", "auto". */
const char *mih_hash_path_name(enum mih_hash_path path);

/** mih_hash_path_available() - compiled in, and this processor can run it? */
bool mih_hash_path_available(enum mih_hash_path path);

/**
 * mih_hash_path_force() - use @path for everything it implements
 * @path: MIH_HASH_PATH_AUTO gives the choice back
 *
 * For tests and measurements. What @path does not implement runs portable, so
 * that a forced path is never silently another vector path.
 *
 * Return: 0; -ENOTSUP if not available here.
 */
MIH_MUST_CHECK mih_err mih_hash_path_force(enum mih_hash_path path);

/** mih_hash_path_used() - the path that @alg (is_tree or sha256) takes now, for
 *  many messages. */
enum mih_hash_path mih_hash_path_used(enum mih_hash_alg alg);

#endif
