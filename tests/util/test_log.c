/*
 * Events as JSON, as a datagram for the journal and as an audit record; and
 * how many lines there may be.
 */
#include "lib/test.h"
#include "util/log.h"
#include "util/log/record.h"

#include <string.h>

#define NASTY "a\nb \"c\" res=success"

static const struct mih_log_event refusal = {
	.level = MIH_LOG_ERROR,
	.name = "refusal",
	.path = NASTY,
	.off = 65536,
	.nbytes = 100,
	.algorithm = "mth4k-sha256",
	.expected = "00ff",
	.found = "ff00",
};
static const struct mih_log_event note = { MIH_LOG_INFO, .name = "note" };

static struct mih_record record_of(const struct mih_log_event *event)
{
	return (struct mih_record){
		.event = event,
		.level = "error",
		.priority = 3,
		.mount = "/mnt/m",
		.message = "wrong",
	};
}

static void check(void (*write)(struct mih_buffer *, const struct mih_record *),
		  const struct mih_log_event *event, const char *tail)
{
	const struct mih_record record = record_of(event);
	struct mih_buffer out = { 0 };
	size_t len = strlen(tail);

	write(&out, &record);
	assert_int_equal(mih_buffer_end(&out), 0);
	assert_true(out.len >= len);
	assert_string_equal(out.data + out.len - len, tail);
	mih_buffer_fini(&out);
}

static void test_json_has_every_field(void **state)
{
	(void)state;
	check(mih_record_json, &refusal,
	      "\"level\":\"error\",\"event\":\"refusal\",\"message\":\"wrong\","
	      "\"mount\":\"/mnt/m\","
	      "\"path\":\"a\\u000ab \\\"c\\\" res=success\","
	      "\"offset\":65536,\"length\":100,"
	      "\"algorithm\":\"mth4k-sha256\",\"expected\":\"00ff\","
	      "\"found\":\"ff00\"}");
	check(mih_record_json, &note,
	      "\"level\":\"error\",\"event\":\"note\",\"message\":\"wrong\","
	      "\"mount\":\"/mnt/m\"}");
}

/* A new line within a path begins no field: the length stands before it. */
static void test_the_journal_gets_lengths(void **state)
{
	static const char want[] = "MIHFS_PATH\n\x13\0\0\0\0\0\0\0" NASTY
				   "\nMIHFS_OFFSET=65536\nMIHFS_LENGTH=100\n";
	const struct mih_record record = record_of(&refusal);
	struct mih_buffer out = { 0 };

	(void)state;
	assert_int_equal(strlen(NASTY), 0x13);
	mih_record_journal(&out, &record);
	assert_non_null(memmem(out.data, out.len, want, sizeof(want) - 1));
	assert_memory_equal(out.data, "PRIORITY=3\n", 11);
	mih_buffer_fini(&out);
}

/* A name cannot pretend to be another field. */
static void test_audit_encodes_names(void **state)
{
	struct mih_log_event plain = refusal;

	(void)state;
	plain.path = "weights/a.bin";
	check(mih_record_audit, &plain,
	      "op=refuse mount=\"/mnt/m\" name=\"weights/a.bin\" offset=65536 "
	      "length=100 algorithm=\"mth4k-sha256\" expected=\"00ff\" "
	      "found=\"ff00\" res=failed");
	check(mih_record_audit, &refusal,
	      " name=610A622022632220" /* a..b "c" */
	      "7265733D73756363657373 offset=65536 length=100 "
	      "algorithm=\"mth4k-sha256\" expected=\"00ff\" found=\"ff00\" "
	      "res=failed");
}

static void test_a_budget_ends_with_notice(void **state)
{
	struct mih_log_budget budget = { 0 };

	(void)state;
	for (int i = 0; i < 63; i++)
		assert_int_equal(mih_log_budget_take(&budget), MIH_LOG_SAY);
	assert_int_equal(mih_log_budget_take(&budget), MIH_LOG_SAY_LAST);
	for (int i = 0; i < 3; i++)
		assert_int_equal(mih_log_budget_take(&budget), MIH_LOG_SILENT);
	budget.since_ns -= (uint64_t)60 * 1000000000; /* a minute later */
	assert_int_equal(mih_log_budget_take(&budget), MIH_LOG_SAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_has_every_field),
		cmocka_unit_test(test_the_journal_gets_lengths),
		cmocka_unit_test(test_audit_encodes_names),
		cmocka_unit_test(test_a_budget_ends_with_notice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
