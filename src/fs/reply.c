#include "fs/fs_internal.h"

/* Errors of the backing directory, and of a caller who has been sent a signal,
 * that mean the same to a reader here. */
static const int passed_on[] = { ENOENT, EACCES, EPERM, EMFILE,
				 ENFILE, ENOMEM, EINTR };

int mih_fs_errno(mih_err err)
{
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		if (err == -passed_on[i])
			return passed_on[i];
	return EIO;
}

void mih_fs_reply_err(fuse_req_t req, mih_err err)
{
	fuse_reply_err(req, mih_fs_errno(err));
}
