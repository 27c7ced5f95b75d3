#include "hash/paths/ops_internal.h"
#include "util/checked.h"

#include <pthread.h>
#include <stdatomic.h>

#if HAVE_SHANI || HAVE_AVX2 || HAVE_AVX512
#include <cpuid.h>
#endif

static const char *const names[MIH_HASH_PATH_END] = {
	[MIH_HASH_PATH_AUTO] = "auto",	 [MIH_HASH_PATH_PORTABLE] = "portable",
	[MIH_HASH_PATH_AVX2] = "avx2",	 [MIH_HASH_PATH_AVX512] = "avx512",
	[MIH_HASH_PATH_SHANI] = "shani",
};

static const struct mih_hash_ops *const paths[MIH_HASH_PATH_END] = {
	[MIH_HASH_PATH_PORTABLE] = &mih_hash_portable_ops,
#if HAVE_AVX2
	[MIH_HASH_PATH_AVX2] = &mih_hash_avx2_ops,
#endif
#if HAVE_AVX512
	[MIH_HASH_PATH_AVX512] = &mih_hash_avx512_ops,
#endif
#if HAVE_SHANI
	[MIH_HASH_PATH_SHANI] = &mih_hash_shani_ops,
#endif
};

/* Fastest first; of the first two, see paths/pair.c. */
static const enum mih_hash_path preferred[] = {
	MIH_HASH_PATH_SHANI,
	MIH_HASH_PATH_AVX512,
	MIH_HASH_PATH_AVX2,
	MIH_HASH_PATH_PORTABLE,
};

static pthread_once_t probed = PTHREAD_ONCE_INIT;
static bool available[MIH_HASH_PATH_END];
static _Atomic enum mih_hash_path forced = MIH_HASH_PATH_AUTO;

/* __builtin_cpu_supports() also asks whether the kernel saves the registers;
 * SHA-NI uses no others than SSE, which every x86-64 kernel saves. */
static bool cpu_has(enum mih_hash_path path)
{
	switch (path) {
#if HAVE_AVX2
	case MIH_HASH_PATH_AVX2:
		return __builtin_cpu_supports("avx2") &&
		       __builtin_cpu_supports("bmi2");
#endif
#if HAVE_AVX512
	case MIH_HASH_PATH_AVX512:
		return __builtin_cpu_supports("avx512f") &&
		       __builtin_cpu_supports("avx512bw") &&
		       __builtin_cpu_supports("avx512vl") &&
		       __builtin_cpu_supports("avx512dq") &&
		       __builtin_cpu_supports("bmi2");
#endif
#if HAVE_SHANI
	case MIH_HASH_PATH_SHANI: {
		unsigned a, b, c, d;

		return __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
		       (b & bit_SHA) && __builtin_cpu_supports("sse4.1") &&
		       __builtin_cpu_supports("ssse3");
	}
#endif
	default:
		return path == MIH_HASH_PATH_PORTABLE;
	}
}

static void probe(void)
{
	for (int p = MIH_HASH_PATH_PORTABLE; p < MIH_HASH_PATH_END; p++)
		available[p] = paths[p] && cpu_has((enum mih_hash_path)p);
}

const char *mih_hash_path_name(enum mih_hash_path path)
{
	return names[path];
}

bool mih_hash_path_available(enum mih_hash_path path)
{
	pthread_once(&probed, probe);
	return path == MIH_HASH_PATH_AUTO || available[path];
}

mih_err mih_hash_path_force(enum mih_hash_path path)
{
	if ((int)path < 0 || path >= MIH_HASH_PATH_END ||
	    !mih_hash_path_available(path))
		return -ENOTSUP;
	atomic_store(&forced, path);
	return 0;
}

/* What may run now, the best first; NULL behind the portable path. */
static bool allowed(enum mih_hash_path path)
{
	enum mih_hash_path only = atomic_load(&forced);

	return mih_hash_path_available(path) &&
	       (only == MIH_HASH_PATH_AUTO || only == path ||
		path == MIH_HASH_PATH_PORTABLE);
}

static enum mih_hash_path path_of(enum mih_hash_core core)
{
	for (size_t i = 0; i < MIH_ARRAY_LEN(preferred); i++)
		if (allowed(preferred[i]) && paths[preferred[i]]->run[core])
			return preferred[i];
	return MIH_HASH_PATH_PORTABLE;
}

/* Has SHA-256 two good ones to choose from? */
static bool is_pair(void)
{
	return allowed(MIH_HASH_PATH_SHANI) && allowed(MIH_HASH_PATH_AVX512);
}

mih_hash_run *mih_hash_core_run(enum mih_hash_core core)
{
	if (core == MIH_HASH_CORE_SHA256 && is_pair())
		return mih_hash_pair_ops.run[core];
	return paths[path_of(core)]->run[core];
}

const struct mih_hash_ops *mih_hash_segment_ops(void)
{
	if (is_pair())
		return &mih_hash_pair_ops;
	for (size_t i = 0; i < MIH_ARRAY_LEN(preferred); i++)
		if (allowed(preferred[i]) && paths[preferred[i]]->segments)
			return paths[preferred[i]];
	return &mih_hash_portable_ops;
}

enum mih_hash_path mih_hash_path_used(enum mih_hash_alg alg)
{
	switch (alg) {
	case MIH_HASH_SHA256:
	case MIH_HASH_MTH4K_SHA256:
		if (is_pair() && mih_hash_pair_has_lanes())
			return MIH_HASH_PATH_AVX512;
		return path_of(MIH_HASH_CORE_SHA256);
	case MIH_HASH_MTH4K_SHA512:
		return path_of(MIH_HASH_CORE_SHA512);
	case MIH_HASH_MTH4K_SHA3_256:
		return path_of(MIH_HASH_CORE_SHA3);
	case MIH_HASH_BLAKE3:
		return path_of(MIH_HASH_CORE_BLAKE3);
	default:
		return MIH_HASH_PATH_PORTABLE;
	}
}
