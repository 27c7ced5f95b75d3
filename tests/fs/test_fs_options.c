#include "lib/test.h"
#include "fs/fs_internal.h"
#include "util/checked.h"

#include <string.h>

#define FORCED                                                                 \
	"ro,nosuid,nodev,default_permissions,subtype=mihfs,max_read=1048576"

static char dir[] = "/no, such";
static struct mih_verify_model model = { .dir = dir };

static mih_err options(const char *text, char **out)
{
	const struct mih_fs_params params = { .model = &model,
					      .options = text };

	return mih_fs_options(&params, out);
}

static void expect(const char *text, const char *middle)
{
	char want[512], *got = NULL;

	snprintf(want, sizeof(want), "fsname=/no\\, such,%s%s", middle, FORCED);
	assert_int_equal(options(text, &got), 0);
	assert_string_equal(got, want);
	free(got);
}

static void test_options_force_what_a_mount_is(void **state)
{
	(void)state;
	expect(NULL, "");
	expect("", "");
}

static void test_options_pass_on_the_rest(void **state)
{
	(void)state;
	expect("allow_other", "allow_other,");
	expect("allow_other,fsname=a\\,rw,noexec",
	       "allow_other,fsname=a\\,rw,noexec,");
}

static void test_options_drop_words_of_fstab(void **state)
{
	(void)state;
	expect("_netdev,nofail,auto,noauto,user,defaults,ro,"
	       "x-systemd.automount,x-gvfs-hide,,allow_other",
	       "allow_other,");
}

static void test_options_refuse_what_is_never_so(void **state)
{
	static const char *const bad[] = { "rw", "allow_other,suid", "dev,ro" };
	char *out;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++)
		assert_int_equal(options(bad[i], &out), MIH_EUSAGE);
}

static void test_errors_a_reader_may_see(void **state)
{
	static const mih_err integrity[] = { MIH_EDIGEST,
					     MIH_EUNTRUSTED,
					     MIH_EFORMAT,
					     MIH_EBACKEND,
					     MIH_ENOANCHOR,
					     -ENODATA,
					     -ELOOP,
					     -EXDEV,
					     0,
					     1 };

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(integrity); i++)
		assert_int_equal(mih_fs_errno(integrity[i]), EIO);
	assert_int_equal(mih_fs_errno(-ENOENT), ENOENT);
	assert_int_equal(mih_fs_errno(-EMFILE), EMFILE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_force_what_a_mount_is),
		cmocka_unit_test(test_options_pass_on_the_rest),
		cmocka_unit_test(test_options_drop_words_of_fstab),
		cmocka_unit_test(test_options_refuse_what_is_never_so),
		cmocka_unit_test(test_errors_a_reader_may_see),
	};

	return cmocka_run_group_tests_name("fs_options", tests, NULL, NULL);
}
