/* What a pass has to say to people when it is over. */
#include "cli/pass/pass.h"
#include "util/checked.h"

#include <stdio.h>
#include <string.h>

const char *mih_cli_pass_why(mih_err err)
{
	switch (err) {
	case -ENODATA:
		return "shorter than expected";
	case -EFBIG:
		return "longer than expected";
	case -ESTALE:
		return "changed while it was read";
	case -EINVAL:
		return "not a regular file";
	case -ELOOP:
		return "symbolic link, not followed without --allow-symlinks";
	case -EXDEV:
		return "symbolic link that leads out of the model, not "
		       "followed without --symlink-root";
	default:
		return strerror(-err);
	}
}

mih_err mih_cli_pass_report(const struct mih_cli_pass *pass)
{
	mih_err first = 0;

	for (size_t i = 0; i < pass->nfiles; i++) {
		const struct mih_cli_pass_file *file = &pass->files[i];

		if (!file->err)
			continue;
		first = first ? first : file->err;
		mih_err_fail(file->err, "%s: %s", file->path,
			     mih_cli_pass_why(file->err));
		fprintf(stderr, "%s\n", mih_err_message());
	}
	return first;
}

/* "4.66 GB"; three digits are as many as anybody compares. */
static void format_bytes(uint64_t nbytes, char *out, size_t cap)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
	double n = (double)nbytes;
	size_t i = 0;

	for (; n >= 1000 && i + 1 < MIH_ARRAY_LEN(units); i++)
		n /= 1000;
	snprintf(out, cap, "%.*f %s", n < 100 && i > 0 ? 2 : 0, n, units[i]);
}

void mih_cli_pass_summary(const struct mih_cli_pass *pass, const char *verb)
{
	double speed =
	    pass->seconds > 0 ? (double)pass->nbytes / 1e9 / pass->seconds : 0;
	char size[32];

	format_bytes(pass->nbytes, size, sizeof(size));
	printf("%s %zu file%s, %s in %.2f s (%.2f GB/s)\n", verb, pass->nfiles,
	       pass->nfiles == 1 ? "" : "s", size, pass->seconds, speed);
}
