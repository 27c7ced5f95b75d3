/*
 * A signature says who, not that nothing newer exists: that is for the operator
 * to say, by the one digest or by a time that the signature proves.
 */
#include "sig/freshness/freshness.h"
#include "sig/sig_internal.h"
#include "sig/text/proto.h"
#include "util/bytes.h"
#include "util/checked.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* --- from words -------------------------------------------------------- */

static bool hex_digit(char c, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	if (at)
		*out = (uint8_t)((at - digits) % 16);
	return at != NULL;
}

static mih_err read_digest(const char *text, uint8_t digest[32])
{
	static const char prefix[] = "sha256:";
	const char *hex = text;
	uint8_t high, low;
	size_t n = 0;

	if (!strncmp(hex, prefix, strlen(prefix)))
		hex += strlen(prefix);
	for (; n < 32 && hex_digit(hex[2 * n], &high) &&
	       hex_digit(hex[2 * n + 1], &low);
	     n++)
		digest[n] = (uint8_t)(high << 4 | low);
	if (n == 32 && !hex[64])
		return 0;
	return mih_err_fail(MIH_EUSAGE,
			    "mihfs: --expect-digest '%.100s' is not a root as "
			    "'mihfs inspect' prints it, sha256: and 64 digits",
			    text);
}

/* A day alone is its first second. */
static mih_err read_time(const char *text, int64_t *out)
{
	char day[32];

	snprintf(day, sizeof(day), "%.10sT00:00:00Z", text);
	if (mih_sig_proto_time(strlen(text) == 10 ? day : text, out))
		return 0;
	return mih_err_fail(MIH_EUSAGE,
			    "mihfs: --min-time '%.100s' is not a time such as "
			    "2026-03-14 or 2026-03-14T09:26:53Z",
			    text);
}

static mih_err read_age(const char *text, int64_t *out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 },
		      { 'm', 60 },
		      { 'h', 3600 },
		      { 'd', 86400 },
		      { 'w', 604800 } };
	size_t len = strspn(text, "0123456789");
	int64_t n = 0;

	for (size_t i = 0; i < len && i < 10; i++)
		n = 10 * n + text[i] - '0';
	for (size_t i = 0; len > 0 && len < 10 && i < MIH_ARRAY_LEN(units); i++)
		if (text[len] == units[i].unit && !text[len + 1]) {
			*out = n * units[i].seconds;
			return 0;
		}
	return mih_err_fail(MIH_EUSAGE,
			    "mihfs: --max-age '%.100s' is not an age such as "
			    "90d, 12h, 30m or 45s",
			    text);
}

mih_err mih_sig_trust_set_freshness(struct mih_sig_trust *trust,
				    const struct mih_sig_freshness *words)
{
	struct mih_sig_demand demand = {
		.has_digest = words->digest,
		.has_min_time = words->min_time,
		.has_max_age = words->max_age,
	};
	mih_err err = 0;

	if (words->digest)
		err = read_digest(words->digest, demand.digest);
	if (!err && words->min_time)
		err = read_time(words->min_time, &demand.min_time);
	if (!err && words->max_age)
		err = read_age(words->max_age, &demand.max_age);
	if (!err)
		trust->demand = demand;
	return err;
}

/* --- against a bundle -------------------------------------------------- */

static mih_err check_digest(const struct mih_sig_bundle *bundle,
			    const uint8_t digest[32])
{
	char expected[65], found[65];

	if (mih_hash_eq(bundle->root, digest, sizeof(bundle->root)))
		return 0;
	mih_bytes_to_hex(digest, 32, expected);
	mih_bytes_to_hex(bundle->root, sizeof(bundle->root), found);
	return mih_err_fail(MIH_EUNTRUSTED,
			    "%s: model digest: expected sha256:%s, found "
			    "sha256:%s",
			    bundle->file, expected, found);
}

mih_err mih_sig_bundle_expect_digest(const struct mih_sig_bundle *bundle,
				     const char *text)
{
	uint8_t digest[32];
	mih_err err = read_digest(text, digest);

	return err ? err : check_digest(bundle, digest);
}

static mih_err check_time(const struct mih_sig_bundle *bundle, int64_t at,
			  int64_t limit, const char *option)
{
	if (at >= limit)
		return 0;
	return mih_err_fail(MIH_EUNTRUSTED,
			    "%s: time of signing: expected %s or later (%s), "
			    "found %s",
			    bundle->file, mih_sig_time_text(limit).text, option,
			    mih_sig_time_text(at).text);
}

mih_err mih_sig_demand_check(const struct mih_sig_demand *demand,
			     const struct mih_sig_bundle *bundle,
			     const struct mih_sig_moment *moment)
{
	mih_err err = 0;

	if (demand->has_digest)
		err = check_digest(bundle, demand->digest);
	if (err || (!demand->has_min_time && !demand->has_max_age))
		return err;
	if (!moment->is_proven)
		return mih_err_fail(MIH_EUNTRUSTED,
				    "%s: time of signing: none is proven by a "
				    "signature with a key or certificate; "
				    "--min-time and --max-age are for keyless "
				    "ones, --expect-digest for all",
				    bundle->file);
	if (demand->has_min_time)
		err = check_time(bundle, moment->at, demand->min_time,
				 "--min-time");
	if (!err && demand->has_max_age)
		err = check_time(bundle, moment->at,
				 (int64_t)time(NULL) - demand->max_age,
				 "--max-age");
	return err;
}
