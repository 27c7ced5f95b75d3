/*
 * Whose certificate it is, and who said so.
 */
#include "sig/keyless/keyless.h"

#include <openssl/err.h>
#include <regex.h>
#include <string.h>

/* Fulcio: a DER UTF8String, and the older one of bare bytes. */
#define ISSUER_V2 "1.3.6.1.4.1.57264.1.8"
#define ISSUER_V1 "1.3.6.1.4.1.57264.1.1"

struct mih_sig_policy {
	char *name, *issuer; /* owned */
	bool is_regex;
	regex_t regex;
};

void mih_sig_policy_free(struct mih_sig_policy *policy)
{
	if (!policy)
		return;
	if (policy->is_regex)
		regfree(&policy->regex);
	free(policy->name);
	free(policy->issuer);
	free(policy);
}

static void put_policy(struct mih_sig_policy **policy)
{
	mih_sig_policy_free(*policy);
}

static mih_err compile(struct mih_sig_policy *policy)
{
	char why[128];
	int bad = regcomp(&policy->regex, policy->name, REG_EXTENDED);

	policy->is_regex = !bad;
	if (!bad)
		return 0;
	regerror(bad, &policy->regex, why, sizeof(why));
	return mih_err_fail(MIH_EUSAGE,
			    "%s: not a regular expression for identities: %s",
			    policy->name, why);
}

mih_err mih_sig_policy_new(const struct mih_sig_identity *identity,
			   struct mih_sig_policy **out)
{
	MIH_CLEANUP(put_policy)
	struct mih_sig_policy *policy = calloc(1, sizeof(*policy));
	mih_err err = 0;

	if (!identity->name || !*identity->name || !identity->issuer ||
	    !*identity->issuer)
		return mih_err_fail(MIH_EUSAGE,
				    "identity: both a name and the provider "
				    "that vouches for it are needed");
	if (policy) {
		policy->name = strdup(identity->name);
		policy->issuer = strdup(identity->issuer);
	}
	if (!policy || !policy->name || !policy->issuer)
		return mih_err_fail_errno(-ENOMEM, "identity");
	if (identity->is_regex)
		err = compile(policy);
	if (!err)
		*out = MIH_STEAL(&policy);
	return err;
}

/* --- the certificate --------------------------------------------------- */

static const ASN1_OCTET_STRING *extension(X509 *leaf, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = object ? X509_get_ext_by_OBJ(leaf, object, -1) : -1;

	ASN1_OBJECT_free(object);
	return at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(leaf, at));
}

/* NUL inside would compare as less than it is. */
static char *text_of(const uint8_t *bytes, int len)
{
	if (len < 0 || memchr(bytes, '\0', (size_t)len))
		return NULL;
	return strndup((const char *)bytes, (size_t)len);
}

static char *der_text(const ASN1_OCTET_STRING *value)
{
	const uint8_t *at = ASN1_STRING_get0_data(value);
	const uint8_t *end = at + ASN1_STRING_length(value);
	ASN1_UTF8STRING *utf8 =
	    d2i_ASN1_UTF8STRING(NULL, &at, ASN1_STRING_length(value));
	char *text = NULL;

	if (utf8 && at == end)
		text = text_of(ASN1_STRING_get0_data(utf8),
			       ASN1_STRING_length(utf8));
	ASN1_UTF8STRING_free(utf8);
	ERR_clear_error();
	return text;
}

static char *bare_text(const ASN1_OCTET_STRING *value)
{
	return text_of(ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
}

/* Tools read one or the other: where they differ, nobody is named. */
char *mih_sig_identity_issuer(X509 *leaf)
{
	const ASN1_OCTET_STRING *v1 = extension(leaf, ISSUER_V1);
	const ASN1_OCTET_STRING *v2 = extension(leaf, ISSUER_V2);
	mih_autofree char *bare = v1 ? bare_text(v1) : NULL;
	mih_autofree char *issuer = v2 ? der_text(v2) : NULL;

	if (v1 && v2 && (!bare || !issuer || strcmp(bare, issuer)))
		return NULL;
	return v2 ? MIH_STEAL(&issuer) : MIH_STEAL(&bare);
}

static bool take_name(const char *name, void *arg)
{
	*(char **)arg = strdup(name);
	return true;
}

char *mih_sig_identity_name(X509 *leaf)
{
	char *name = NULL;

	(void)mih_sig_x509_each_name(leaf, take_name, &name);
	return name;
}

/* --- the comparison ---------------------------------------------------- */

/* POSIX finds the longest of the leftmost matches, so an expression that can
 * match all of a name does so; writing ^( )$ around it would let a ")" in it
 * break out. */
static bool matches(const char *name, void *arg)
{
	const struct mih_sig_policy *policy = arg;
	regmatch_t match;

	if (!policy->is_regex)
		return !strcmp(name, policy->name);
	return !regexec(&policy->regex, name, 1, &match, 0) &&
	       match.rm_so == 0 && (size_t)match.rm_eo == strlen(name);
}

mih_err mih_sig_identity_check(const char *file,
			       const struct mih_sig_policy *policy, X509 *leaf)
{
	mih_autofree char *issuer = mih_sig_identity_issuer(leaf);
	mih_autofree char *name = NULL;

	if (!issuer || strcmp(issuer, policy->issuer))
		return mih_err_fail(
		    MIH_EUNTRUSTED, "%s: issuer: expected '%s', found '%s'",
		    file, policy->issuer, issuer ? issuer : "(none, or two)");
	if (mih_sig_x509_each_name(leaf, matches, (void *)policy))
		return 0;
	name = mih_sig_identity_name(leaf);
	return mih_err_fail(
	    MIH_EUNTRUSTED, "%s: identity: expected '%s'%s, found '%s'", file,
	    policy->name, policy->is_regex ? " (expression)" : "",
	    name ? name : "(none)");
}
