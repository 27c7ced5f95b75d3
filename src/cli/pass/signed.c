#include "cli/pass/signed.h"
#include "util/cleanup.h"
#include "util/io.h"
#include "verify/look.h"

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
		const struct mih_sig_resource *resource,
		const struct mih_verify_look *seen)
{
	const char *why = seen->path && !s->single && !strcmp(seen->path, ".")
			      ? "a single file is signed, not a directory"
			      : why_not(resource, seen->err, seen->nbytes);
	char link[1024], told[1200];

	if (seen->err == -ELOOP || seen->err == -EXDEV) {
		mih_io_link_text(s->dirfd, seen->path, link, sizeof(link));
		snprintf(told, sizeof(told), "%s (%s)", why, link);
		why = told;
	}
	if (why) {
		s->problem(s->context, resource->name, why);
		return;
	}
	s->resources[s->nfiles] = resource;
	s->files[s->nfiles++] = (struct mih_cli_pass_file){
		.path = seen->path,
		.nbytes = seen->nbytes,
		.shards = resource->shards,
		.nshards = resource->nshards,
	};
}

static mih_err look_at_all(struct mih_cli_signed *s)
{
	const struct mih_sig_resource *resources = s->manifest->resources;
	size_t n = s->manifest->nresources;
	mih_autofree struct mih_verify_look *looks = calloc(n, sizeof(*looks));

	if (!looks)
		return mih_err_fail_errno(-ENOMEM, "mihfs");
	for (size_t i = 0; i < n; i++)
		looks[i].path = mih_cli_signed_path(s, resources[i].name);
	mih_verify_look_run(s->dirfd, &s->links, looks, n);
	for (size_t i = 0; i < n; i++)
		add(s, &resources[i], &looks[i]);
	return 0;
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
	return look_at_all(s);
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
