#include "lib/test.h"
#include "fs/generation/follow.h"
#include "util/checked.h"

#include <string.h>

#define FILES_MAX 8

/** A table and what it is made of; the digest is one letter. */
struct table {
	struct mih_sig_resource resources[FILES_MAX];
	struct mih_verify_file files[FILES_MAX];
	struct mih_fs_inodes inodes;
};

struct text {
	const char *path;
	char digest;
};

static void build(struct table *t, const struct text *texts)
{
	size_t n = 0;

	memset(t, 0, sizeof(*t));
	for (; texts[n].path; n++) {
		t->resources[n].alg = MIH_HASH_SHA256;
		t->resources[n].digest[0] = (uint8_t)texts[n].digest;
		t->files[n] = (struct mih_verify_file){
			.path = texts[n].path,
			.nbytes = 10,
			.proof = MIH_VERIFY_BY_FLAT,
			.tree = MIH_HASH_MTH4K_SHA256,
			.resource = &t->resources[n],
		};
	}
	assert_int_equal(mih_fs_inodes_build(t->files, n, &t->inodes), 0);
}

static const struct mih_fs_node *find(const struct table *t, const char *path)
{
	const struct mih_fs_node *node = &t->inodes.nodes[0];
	char copy[64], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *name = strtok_r(copy, "/", &save); name && node;
	     name = strtok_r(NULL, "/", &save))
		node = mih_fs_inode_find(&t->inodes, node, name);
	return node;
}

static uint64_t number(const struct table *t, const char *path)
{
	const struct mih_fs_node *node = find(t, path);

	assert_non_null(node);
	assert_ptr_equal(mih_fs_inode_get(&t->inodes, node->number), node);
	return node->number;
}

/* "1/a 1/b 1 " for entries a and b of folder 1, and its list. */
static void spell(const struct mih_fs_changes *changes, char *out, size_t cap)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < changes->n; i++) {
		const struct mih_fs_change *c = &changes->items[i];

		len +=
		    (size_t)snprintf(out + len, cap - len, "%ju%s%.*s ",
				     (uintmax_t)c->folder, c->name ? "/" : "",
				     (int)c->name_len, c->name ? c->name : "");
	}
}

static const struct text first[] = {
	{ "a", '1' },	{ "b/x", '1' },	 { "b/y", '1' },
	{ "c/z", '1' }, { "gone", '1' }, { NULL, 0 },
};

static const struct text second[] = {
	{ "a", '1' },	{ "b/x", '2' },	     { "b/y", '1' },
	{ "c/z", '1' }, { "new/file", '1' }, { NULL, 0 },
};

static void test_follow_keeps_what_is_the_same(void **state)
{
	static struct table now, before;
	struct mih_fs_changes changes = { .n = 0 };

	(void)state;
	build(&before, first);
	build(&now, second);
	assert_int_equal(
	    mih_fs_inodes_follow(&now.inodes, &before.inodes, 77, &changes), 0);
	assert_int_equal(number(&now, "a"), number(&before, "a"));
	assert_int_equal(number(&now, "b"), number(&before, "b"));
	assert_int_equal(number(&now, "b/y"), number(&before, "b/y"));
	assert_int_equal(number(&now, "c/z"), number(&before, "c/z"));
	assert_int_equal(find(&now, "b/y")->since_ns, 0);
	assert_int_equal(find(&now, "c")->since_ns, 0);
	mih_fs_changes_fini(&changes);
	mih_fs_inodes_fini(&now.inodes);
	mih_fs_inodes_fini(&before.inodes);
}

static void test_follow_gives_new_numbers_to_the_rest(void **state)
{
	static struct table now, before;
	struct mih_fs_changes changes = { .n = 0 };

	(void)state;
	build(&before, first);
	build(&now, second);
	assert_int_equal(
	    mih_fs_inodes_follow(&now.inodes, &before.inodes, 77, &changes), 0);
	assert_true(number(&now, "b/x") >= before.inodes.next);
	assert_true(number(&now, "new") >= before.inodes.next);
	assert_true(number(&now, "new/file") >= before.inodes.next);
	assert_true(now.inodes.next > number(&now, "new/file"));
	assert_int_equal(find(&now, "b/x")->since_ns, 77);
	assert_int_equal(find(&now, "b")->since_ns, 77);
	assert_int_equal(now.inodes.nodes[0].since_ns, 77);
	assert_null(mih_fs_inode_get(&now.inodes, number(&before, "gone")));
	assert_null(mih_fs_inode_get(&now.inodes, number(&before, "b/x")));
	mih_fs_changes_fini(&changes);
	mih_fs_inodes_fini(&now.inodes);
	mih_fs_inodes_fini(&before.inodes);
}

static void test_follow_tells_what_to_forget(void **state)
{
	static struct table now, before;
	struct mih_fs_changes changes = { .n = 0 };
	char got[256], want[256];

	(void)state;
	build(&before, first);
	build(&now, second);
	assert_int_equal(
	    mih_fs_inodes_follow(&now.inodes, &before.inodes, 77, &changes), 0);
	spell(&changes, got, sizeof(got));
	snprintf(want, sizeof(want), "1/gone 1/new 1 %ju/x %ju ",
		 (uintmax_t)number(&now, "b"), (uintmax_t)number(&now, "b"));
	assert_string_equal(got, want);
	mih_fs_changes_fini(&changes);
	mih_fs_inodes_fini(&now.inodes);
	mih_fs_inodes_fini(&before.inodes);
}

/* Sizes, or how bytes are proven: what kept its digest may still be another
 * file to its readers. */
static void test_follow_looks_at_more_than_digests(void **state)
{
	static const struct text one[] = { { "a", '1' }, { NULL, 0 } };
	static struct table now, before;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct mih_fs_changes changes = { .n = 0 };

		build(&before, one);
		build(&now, one);
		if (i == 0)
			now.files[0].nbytes++;
		else if (i == 1)
			now.files[0].proof = MIH_VERIFY_BY_TREE;
		else
			now.resources[0].tree = MIH_HASH_MTH4K_SHA256;
		assert_int_equal(mih_fs_inodes_follow(
				     &now.inodes, &before.inodes, 1, &changes),
				 0);
		assert_int_not_equal(number(&now, "a"), number(&before, "a"));
		mih_fs_changes_fini(&changes);
		mih_fs_inodes_fini(&now.inodes);
		mih_fs_inodes_fini(&before.inodes);
	}
}

static void test_follow_never_uses_a_number_twice(void **state)
{
	static const struct text files[2][3] = {
		{ { "a", '1' }, { "b", '1' }, { NULL, 0 } },
		{ { "a", '2' }, { "b/c", '2' }, { NULL, 0 } },
	};
	static struct table tables[2];
	uint64_t highest = 3; /* of the first table */

	(void)state;
	build(&tables[0], files[0]);
	for (int i = 1; i < 6; i++) {
		struct table *now = &tables[i % 2];
		struct table *before = &tables[(i + 1) % 2];
		struct mih_fs_changes changes = { .n = 0 };

		build(now, files[i % 2]);
		assert_int_equal(mih_fs_inodes_follow(&now->inodes,
						      &before->inodes, 1,
						      &changes),
				 0);
		assert_true(number(now, "a") > highest);
		assert_true(number(now, "b") > highest);
		highest = now->inodes.next - 1;
		mih_fs_changes_fini(&changes);
		mih_fs_inodes_fini(&before->inodes);
	}
	mih_fs_inodes_fini(&tables[1].inodes);
}

static void test_follow_an_equal_table(void **state)
{
	static struct table now, before;
	struct mih_fs_changes changes = { .n = 0 };

	(void)state;
	build(&before, first);
	build(&now, first);
	assert_int_equal(
	    mih_fs_inodes_follow(&now.inodes, &before.inodes, 77, &changes), 0);
	assert_int_equal(changes.n, 0);
	assert_int_equal(now.inodes.next, before.inodes.next);
	mih_fs_changes_fini(&changes);
	mih_fs_inodes_fini(&now.inodes);
	mih_fs_inodes_fini(&before.inodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follow_keeps_what_is_the_same),
		cmocka_unit_test(test_follow_gives_new_numbers_to_the_rest),
		cmocka_unit_test(test_follow_tells_what_to_forget),
		cmocka_unit_test(test_follow_looks_at_more_than_digests),
		cmocka_unit_test(test_follow_never_uses_a_number_twice),
		cmocka_unit_test(test_follow_an_equal_table),
	};

	return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
