/*
 * sig/x509/x509.h - certificates: read, name, and follow up to an anchor
 *
 * Layer: src/sig.  Threads: no state; certificates are not changed.
 * Source: RFC 5280.
 */
#ifndef MIH_SIG_X509_X509_H
#define MIH_SIG_X509_X509_H

#include "sig/text/json.h"
#include "util/err.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>

/** Certificates that a bundle may carry, and the length of a path. */
#define MIH_SIG_X509_MAX 32

/** Bytes of one certificate. */
#define MIH_SIG_X509_DER_MAX ((size_t)64 << 10)

static inline void mih_sig_x509_put(X509 **cert)
{
	X509_free(*cert);
}
#define mih_autox509 MIH_CLEANUP(mih_sig_x509_put)

static inline void mih_sig_x509_list_put(STACK_OF(X509) * *list)
{
	sk_X509_pop_free(*list, X509_free);
}
#define mih_autox509list MIH_CLEANUP(mih_sig_x509_list_put)

/**
 * mih_sig_x509_read_pem() - append every certificate of a PEM file
 * @list: not NULL; takes the certificates
 *
 * Return: 0; MIH_EFORMAT (none in it, not a certificate, a private key),
 * -errno; with a story that names @path.
 */
MIH_MUST_CHECK mih_err mih_sig_x509_read_pem(const char *path,
					     STACK_OF(X509) * list);

/**
 * mih_sig_x509_read_crls() - append every revocation list of a PEM or DER file
 *
 * Return: 0; MIH_EFORMAT or -errno with a story that names @path.
 */
MIH_MUST_CHECK mih_err mih_sig_x509_read_crls(const char *path,
					      STACK_OF(X509_CRL) * list);

/** mih_sig_x509_from_json() - the certificate { "rawBytes": <base64 DER> } */
MIH_MUST_CHECK mih_err mih_sig_x509_from_json(const struct mih_sig_json *node,
					      X509 **cert_out);

/**
 * mih_sig_x509_list_from_json() - the member "certificates" of @node
 * @list_out: at least one certificate, in the same order; owned by the caller
 */
MIH_MUST_CHECK mih_err mih_sig_x509_list_from_json(
    const struct mih_sig_json *node, STACK_OF(X509) * *list_out);

/** What a path is checked against. All borrowed. */
struct mih_sig_x509_path {
	const char *file;	    /* for the story */
	const char *step;	    /* "certificate chain" */
	STACK_OF(X509) * anchors;   /* one ends a path, if its issuer is not
				       among them too */
	STACK_OF(X509) * untrusted; /* may stand in between; or NULL */
	STACK_OF(X509_CRL) * crls;  /* NULL: nobody asks for revocation */
	int64_t at;		    /* when all must be valid */
};

/**
 * mih_sig_x509_path_check() - does a path of valid certificates lead from
 * @leaf to an anchor?
 * @chain_out: leaf first, anchor last; owned by the caller; or NULL
 *
 * No other anchors than those given; keys and digests of less than 112 bits
 * of strength are refused. With revocation lists, every certificate must be
 * covered by one that is valid itself.
 *
 * Return: 0; MIH_EUNTRUSTED with a story of @step and the certificate at
 * fault; -ENOMEM.
 */
MIH_MUST_CHECK mih_err
mih_sig_x509_path_check(const struct mih_sig_x509_path *path, X509 *leaf,
			STACK_OF(X509) * *chain_out);

/** mih_sig_x509_may_sign() - key usage digitalSignature, or code signing */
bool mih_sig_x509_may_sign(X509 *cert);

/** mih_sig_x509_has_eku() - is @oid among its extended key usages? */
bool mih_sig_x509_has_eku(X509 *cert, const ASN1_OBJECT *oid);

/**
 * mih_sig_x509_each_name() - call @see for each subject alternative name
 * @see: gets a text without NUL inside; true ends the walk
 *
 * E-mail addresses, URIs, DNS names, and the user names that Fulcio puts into
 * other names (1.3.6.1.4.1.57264.1.7).
 *
 * Return: what the last call returned, false without any.
 */
bool mih_sig_x509_each_name(X509 *cert,
			    bool (*see)(const char *name, void *arg),
			    void *arg);

/** mih_sig_x509_common_name() - the last one of the subject; "" if none */
void mih_sig_x509_common_name(X509 *cert, char *buf, size_t cap);

/**
 * mih_sig_x509_subject() - the whole subject in one line, printable ASCII
 *
 * Without a subject: the first alternative name.
 */
void mih_sig_x509_subject(X509 *cert, char *buf, size_t cap);

/** mih_sig_x509_fingerprint() - lowercase hex SHA-256 over the DER form */
void mih_sig_x509_fingerprint(X509 *cert, char hex[65]);

/** mih_sig_x509_time() - seconds since 1970; false if it is none */
bool mih_sig_x509_time(const ASN1_TIME *time, int64_t *out);

/** mih_sig_x509_printable() - show all but printable ASCII as '?' */
void mih_sig_x509_printable(char *text);

#endif
