/*
 * hash/rates.h - how fast this processor hashes, beside the crypto library
 *
 * Layer: src/hash.  Threads: measures on the calling thread; it forces paths
 * (hash/path.h), so no other thread may hash meanwhile.
 */
#ifndef MIH_HASH_RATES_H
#define MIH_HASH_RATES_H

#include "hash/alg.h"
#include "hash/path.h"

/** One measured way of hashing. */
struct mih_hash_rate {
	const char *what;	 /* "mth4k-sha256", "blake2b leaves",
				    "sha256 segments", "sha256 flat" ... */
	enum mih_hash_path path; /* how it ran; AUTO: chosen by the program */
	double gb_per_s;	 /* 1e9 bytes a second; best of all runs */
	const char *base;	 /* what it is held against: "OpenSSL sha256" */
	double base_gb_per_s;	 /* that one's best in the same run; 0: none */
};

#define MIH_HASH_RATES_MAX 64

/** What to measure, and where the result goes. */
struct mih_hash_rates {
	size_t nbytes;	 /* buffer size, MIH_HASH_GROUP and more; 0: 1 MiB */
	unsigned repeat; /* runs of which the best counts; 0: 9 */
	size_t n;	 /* set: rows in use */
	struct mih_hash_rate rows[MIH_HASH_RATES_MAX];
};

/**
 * mih_hash_rates_measure() - fill in one row per algorithm and path
 * @rates: nbytes and repeat are read, the others are set
 *
 * Every tree algorithm, BLAKE2b leaves and SHA-256 segments on every path that
 * is available here, each beside the crypto library's digest of the whole
 * buffer as one message, measured in turn with it so that a change of clock
 * meets both. blake3 has no such base (the library has none): b3sum is its
 * peer. Single thread; about 3 s with the defaults.
 *
 * Return: 0; -ENOMEM; -EIO if the crypto library fails.
 */
MIH_MUST_CHECK mih_err mih_hash_rates_measure(struct mih_hash_rates *rates);

#endif
