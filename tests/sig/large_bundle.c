/* Time and memory of bundles over many files; no test, a measuring tool:
 *     large_bundle sign KEY.pem N FILE
 *     large_bundle verify PUB.pem FILE
 * One process per figure, because peak memory never goes down. */
#include "lib/test.h"
#include "sig/bundle.h"
#include "util/bytes.h"
#include "util/io.h"

#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void report(const char *what, double from, long kib)
{
	printf("%s: %.3f s, peak %+.1f MiB\n", what, now() - from,
	       (double)(peak_kib() - kib) / 1024);
}

static int failed(void)
{
	fprintf(stderr, "%s\n", mih_err_message());
	return 1;
}

/* Names of the length that data sets have; three hundred files a folder. */
static struct mih_sig_manifest *make(size_t n)
{
	struct mih_sig_manifest *m = calloc(1, sizeof(*m));

	m->model_name = strdup("many");
	m->resources = calloc(n, sizeof(*m->resources));
	for (m->nresources = 0; m->nresources < n; m->nresources++) {
		struct mih_sig_resource *res = &m->resources[m->nresources];

		if (asprintf(&res->name, "train/part-%06zu/image-%09zu.jpeg",
			     m->nresources / 300, m->nresources) < 0)
			abort();
		res->alg = MIH_HASH_SHA256;
		res->tree = MIH_HASH_MTH4K_SHA256;
		res->nbytes = m->nresources;
		mih_bytes_put64(res->digest, m->nresources);
		mih_bytes_put64(res->root, ~m->nresources);
	}
	return m;
}

static int sign(const char *key_path, size_t n, const char *path)
{
	struct mih_sig_signer signer = { .key_path = key_path };
	struct mih_sig_manifest *m = make(n);
	struct mih_sig_key *key;
	size_t len;
	char *text;
	long kib = peak_kib();
	double from = now();

	if (mih_sig_key_load(&signer, &key) ||
	    mih_sig_bundle_sign(m, key, &text, &len))
		return failed();
	report("sign", from, kib);
	printf("%zu files, %.1f MB\n", n, (double)len / 1e6);
	if (mih_io_write_file(path, text, len, 0644))
		return failed();
	free(text);
	mih_sig_key_free(key);
	mih_sig_manifest_free(m);
	return 0;
}

static int verify(const char *pub, const char *path)
{
	struct mih_sig_trust *trust = mih_sig_trust_new();
	struct mih_sig_bundle *bundle;
	long kib;
	double from;

	if (mih_sig_trust_add_key(trust, pub))
		return failed();
	kib = peak_kib();
	from = now();
	if (mih_sig_bundle_read(path, &bundle))
		return failed();
	report("read", from, kib);
	if (mih_sig_bundle_verify(bundle, trust))
		return failed();
	report("read and verify", from, kib);
	mih_sig_bundle_free(bundle);
	mih_sig_trust_free(trust);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "sign"))
		return sign(argv[2], strtoul(argv[3], NULL, 10), argv[4]);
	if (argc == 4 && !strcmp(argv[1], "verify"))
		return verify(argv[2], argv[3]);
	fprintf(stderr, "usage: large_bundle sign KEY N FILE | "
			"verify PUB FILE\n");
	return 2;
}
