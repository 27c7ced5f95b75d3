/*
 * A signed model that is too large to be signed by reading it: one sparse file
 * of zeros, whose groups all have one digest.
 *
 *     huge_model GIB KEY DIR     makes DIR/zeros, DIR.json and DIR.json.tree
 */
#include "hash/group.h"
#include "sig/bundle.h"
#include "tree/sidecar_write.h"
#include "util/checked.h"
#include "util/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN 4096 /* digests put at a time */

static const enum mih_hash_alg tree = MIH_HASH_MTH4K_SHA256;

static void must(mih_err err)
{
	if (err) {
		fprintf(stderr, "huge_model: %s\n", mih_err_message());
		exit(3);
	}
}

static void make_file(const char *dir, uint64_t nbytes)
{
	char path[4096];
	int fd = -1;

	snprintf(path, sizeof(path), "%s/zeros", dir);
	if (mkdir(dir, 0777) < 0 ||
	    (fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0666)) < 0 ||
	    ftruncate(fd, (off_t)nbytes) < 0)
		must(mih_err_fail_errno(-errno, "%s", path));
	close(fd);
}

static void make_sidecar(const char *path, uint64_t nbytes, uint8_t *root)
{
	static uint8_t zeros[MIH_HASH_GROUP], digests[RUN][32];
	const struct mih_tree_source source = { .path = "zeros",
						.nbytes = nbytes };
	struct mih_hash_range range = { .data = zeros, .len = sizeof(zeros) };
	struct mih_tree_writer *writer;
	uint64_t n = mih_hash_ngroups(nbytes);

	mih_hash_groups(tree, &range, 1, digests[0]);
	for (size_t i = 1; i < RUN; i++)
		memcpy(digests[i], digests[0], sizeof(digests[0]));
	must(mih_tree_writer_open(path, tree, &source, 1, &writer));
	for (uint64_t at = 0; at < n; at += RUN)
		must(mih_tree_writer_put(writer, 0, at, digests[0],
					 MIH_MIN(n - at, (uint64_t)RUN)));
	must(mih_tree_writer_root(writer, 0, root));
	must(mih_tree_writer_finish(writer));
}

static void make_bundle(const char *path, const char *key_path,
			struct mih_sig_resource *resource)
{
	struct mih_sig_signer signer = { .key_path = key_path };
	struct mih_sig_manifest manifest = { .model_name = (char *)"huge",
					     .resources = resource,
					     .nresources = 1 };
	struct mih_sig_key *key;
	char *text;
	size_t len;

	must(mih_sig_key_load(&signer, &key));
	must(mih_sig_bundle_sign(&manifest, key, &text, &len));
	must(mih_io_write_file(path, text, len, 0666));
	mih_sig_key_free(key);
	free(text);
}

/* The flat digest stays zero: nothing looks at it where there is a tree. */
int main(int argc, char **argv)
{
	struct mih_sig_resource resource = { .name = (char *)"zeros",
					     .alg = MIH_HASH_SHA256,
					     .tree = tree };
	char path[4096];

	if (argc != 4) {
		fprintf(stderr, "usage: huge_model GIB KEY DIR\n");
		return 2;
	}
	resource.nbytes = strtoull(argv[1], NULL, 10) << 30;
	make_file(argv[3], resource.nbytes);
	snprintf(path, sizeof(path), "%s.json.tree", argv[3]);
	make_sidecar(path, resource.nbytes, resource.root);
	snprintf(path, sizeof(path), "%s.json", argv[3]);
	make_bundle(path, argv[2], &resource);
	return 0;
}
