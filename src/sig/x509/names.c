/*
 * What a certificate says about itself.
 */
#include "sig/x509/x509.h"
#include "util/bytes.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FULCIO_USER_NAME "1.3.6.1.4.1.57264.1.7"

static void put_bio(BIO **bio)
{
	BIO_free(*bio);
}

void mih_sig_x509_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
			*text = '?';
}

static bool copy_name(const char *name, void *arg)
{
	*(char **)arg = strdup(name);
	return true;
}

/* Fulcio's certificates have no subject, only an alternative name. */
static void alternative_subject(X509 *cert, char *buf, size_t cap)
{
	mih_autofree char *name = NULL;

	if (mih_sig_x509_each_name(cert, copy_name, &name) && name)
		snprintf(buf, cap, "%s", name);
}

void mih_sig_x509_subject(X509 *cert, char *buf, size_t cap)
{
	MIH_CLEANUP(put_bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	buf[0] = '\0';
	if (!bio || X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
				       XN_FLAG_RFC2253) < 0)
		return;
	len = BIO_get_mem_data(bio, &text);
	snprintf(buf, cap, "%.*s", (int)len, text);
	if (len == 0)
		alternative_subject(cert, buf, cap);
	mih_sig_x509_printable(buf);
}

/* A text with NUL inside would compare as less than it is. */
static char *text_of(const ASN1_STRING *string)
{
	unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, string);
	char *text = NULL;

	if (len >= 0 && !memchr(utf8, '\0', (size_t)len))
		text = strndup((const char *)utf8, (size_t)len);
	OPENSSL_free(utf8);
	ERR_clear_error();
	return text;
}

void mih_sig_x509_common_name(X509 *cert, char *buf, size_t cap)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	mih_autofree char *text = NULL;
	int at = -1, last = -1;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >=
	       0)
		last = at;
	buf[0] = '\0';
	if (last >= 0)
		text = text_of(X509_NAME_ENTRY_get_data(
		    X509_NAME_get_entry(subject, last)));
	if (text && strlen(text) < cap)
		strcpy(buf, text);
}

void mih_sig_x509_fingerprint(X509 *cert, char hex[65])
{
	uint8_t md[EVP_MAX_MD_SIZE] = { 0 };

	if (X509_digest(cert, EVP_sha256(), md, NULL) != 1)
		memset(md, 0, sizeof(md));
	mih_bytes_to_hex(md, 32, hex);
}

bool mih_sig_x509_time(const ASN1_TIME *time, int64_t *out)
{
	struct tm tm;

	if (!time || ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*out = (int64_t)timegm(&tm);
	return true;
}

bool mih_sig_x509_has_eku(X509 *cert, const ASN1_OBJECT *oid)
{
	EXTENDED_KEY_USAGE *usages =
	    X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool has = false;

	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
		has = has || !OBJ_cmp(sk_ASN1_OBJECT_value(usages, i), oid);
	sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
	return has;
}

bool mih_sig_x509_may_sign(X509 *cert)
{
	uint32_t usage = X509_get_key_usage(cert);

	/* Without the extension OpenSSL answers with all bits set. */
	if (usage != UINT32_MAX && (usage & KU_DIGITAL_SIGNATURE))
		return true;
	return mih_sig_x509_has_eku(cert, OBJ_nid2obj(NID_code_sign));
}

static const ASN1_STRING *name_value(const GENERAL_NAME *name)
{
	char oid[64];

	switch (name->type) {
	case GEN_EMAIL:
	case GEN_URI:
	case GEN_DNS:
		return name->d.ia5;
	case GEN_OTHERNAME:
		OBJ_obj2txt(oid, sizeof(oid), name->d.otherName->type_id, 1);
		if (strcmp(oid, FULCIO_USER_NAME) ||
		    name->d.otherName->value->type != V_ASN1_UTF8STRING)
			return NULL;
		return name->d.otherName->value->value.utf8string;
	default:
		return NULL;
	}
}

bool mih_sig_x509_each_name(X509 *cert,
			    bool (*see)(const char *name, void *arg), void *arg)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool done = false;

	for (int i = 0; !done && i < sk_GENERAL_NAME_num(names); i++) {
		const ASN1_STRING *value =
		    name_value(sk_GENERAL_NAME_value(names, i));
		mih_autofree char *text = value ? text_of(value) : NULL;

		done = text && see(text, arg);
	}
	GENERAL_NAMES_free(names);
	return done;
}
