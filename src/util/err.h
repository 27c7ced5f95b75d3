/*
 * util/err.h - error codes that keep their reason, and the story behind them
 *
 * Layer: src/util.  Threads: the story is kept per thread.
 */
#ifndef MIH_UTIL_ERR_H
#define MIH_UTIL_ERR_H

#include <errno.h>

/** 0, or a negative errno; the named values below keep the reason apart. */
typedef int mih_err;

#define MIH_MUST_CHECK	      __attribute__((warn_unused_result))
#define MIH_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#define MIH_EDIGEST    (-EBADMSG)      /* bytes differ from what was signed */
#define MIH_EUNTRUSTED (-EKEYREJECTED) /* signature or signer refused */
#define MIH_ENOANCHOR  (-ENOKEY)       /* no usable trust anchor was given */
#define MIH_EFORMAT    (-EPROTO)       /* malformed bundle, sidecar or key */
#define MIH_EBACKEND   (-ENODEV)       /* device failed: try another one */
#define MIH_EUSAGE     (-EINVAL)       /* the caller's words make no sense */
#define MIH_EPARKED    (-EINPROGRESS)  /* no end yet: goes on when it can */

/**
 * mih_err_fail() - record why something failed, and return the code
 * @err: negative code to return
 * @fmt: printf format of ONE line without a newline, which begins with the
 *       path concerned: "signed.json: member 'payload' appears twice"
 *
 * The line replaces the last one of this thread; two paths of 4095 bytes fit
 * in. Control characters that come in through paths are shown as '?', so that a
 * file name cannot forge a second line.
 *
 * Return: @err.
 */
mih_err mih_err_fail(mih_err err, const char *fmt, ...) MIH_PRINTF(2, 3);

/**
 * mih_err_fail_errno() - mih_err_fail() with ": <strerror(-err)>" appended
 * @err: negative errno
 * @fmt: as for mih_err_fail()
 *
 * Return: @err.
 */
mih_err mih_err_fail_errno(mih_err err, const char *fmt, ...) MIH_PRINTF(2, 3);

/**
 * mih_err_message() - the last line recorded by this thread
 *
 * Return: borrowed text, valid until the thread's next mih_err_fail*();
 * never NULL, "" if nothing was recorded.
 */
const char *mih_err_message(void);

/**
 * mih_err_last() - the code that was recorded with that line; 0 if none was
 */
mih_err mih_err_last(void);

/**
 * mih_err_clear() - forget this thread's line
 */
void mih_err_clear(void);

#endif
