#include "cli/pass/signed.h"
#include "util/cleanup.h"
#include "util/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *mih_cli_signed_path(const struct mih_cli_signed *s,
				const char *name)
{
	if (!s->single)
		return name;
	return !strcmp(name, ".") || !strcmp(name, s->single) ? s->single
							      : NULL;
}

/* O_PATH: a look must not open a FIFO or a device. */
static mih_err look(const struct mih_cli_signed *s, const char *path,
		    uint64_t *nbytes_out)
{
	mih_autoclose int fd = -1;
	struct stat st;
	mih_err err;

	err = mih_io_open_beneath(s->dirfd, path, O_PATH, &s->links, &fd);
	if (err)
		return err;
	if (fstat(fd, &st) < 0)
		return -errno;
	*nbytes_out = (uint64_t)st.st_size;
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

static const char *why_not(const struct mih_sig_resource *resource, mih_err err,
			   uint64_t nbytes)
{
	if (err == -ENOENT || err == -ENOTDIR)
		return "missing";
	if (err)
		return mih_cli_pass_why(err);
	if (mih_sig_resource_is_sized(resource) && nbytes < resource->nbytes)
		return "shorter than signed";
	if (mih_sig_resource_is_sized(resource) && nbytes > resource->nbytes)
		return "longer than signed";
	return NULL;
}

static void add(struct mih_cli_signed *s,
		const struct mih_sig_resource *resource)
{
	const char *path = mih_cli_signed_path(s, resource->name);
	uint64_t nbytes = 0;
	mih_err err = path ? look(s, path, &nbytes) : -ENOENT;
	const char *why = path && !s->single && !strcmp(path, ".")
			      ? "a single file is signed, not a directory"
			      : why_not(resource, err, nbytes);
	char link[1024], told[1200];

	if (path && (err == -ELOOP || err == -EXDEV)) {
		mih_io_link_text(s->dirfd, path, link, sizeof(link));
		snprintf(told, sizeof(told), "%s (%s)", why, link);
		why = told;
	}
	if (why) {
		s->problem(s->context, resource->name, why);
		return;
	}
	s->resources[s->nfiles] = resource;
	s->files[s->nfiles++] = (struct mih_cli_pass_file){
		.path = path,
		.nbytes = nbytes,
		.shards = resource->shards,
		.nshards = resource->nshards,
	};
}

mih_err mih_cli_signed_open(struct mih_cli_signed *s, const char *model,
			    const struct mih_sig_manifest *manifest,
			    const struct mih_cli_model_options *options)
{
	size_t n = manifest->nresources;
	mih_err err;

	s->manifest = manifest;
	s->dirfd = -1;
	err = mih_verify_scan_open(model, &s->dirfd, &s->single);
	if (!err)
		err = mih_cli_links_open(options, model, &s->links);
	s->links.follow |= manifest->allow_symlinks;
	if (err)
		return err;
	s->files = calloc(n + 1, sizeof(*s->files));
	s->resources = calloc(n + 1, sizeof(*s->resources));
	if (!s->files || !s->resources)
		return mih_err_fail_errno(-ENOMEM, "%s", model);
	for (size_t i = 0; i < n; i++)
		add(s, &manifest->resources[i]);
	return 0;
}

void mih_cli_signed_close(struct mih_cli_signed *s)
{
	mih_cleanup_close(&s->dirfd);
	mih_io_links_close(&s->links);
	free(s->single);
	free(s->files);
	free(s->resources);
	*s = (struct mih_cli_signed){ .dirfd = -1 };
}
