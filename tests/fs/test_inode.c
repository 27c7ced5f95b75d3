#include "lib/test.h"
#include "fs/generation/inode.h"
#include "util/checked.h"

#include <string.h>

static mih_err build(const char *const *paths, size_t n,
		     struct mih_fs_inodes *out)
{
	static struct mih_verify_file files[16];

	assert_true(n <= MIH_ARRAY_LEN(files));
	for (size_t i = 0; i < n; i++)
		files[i] = (struct mih_verify_file){ .path = paths[i],
						     .nbytes = 4097 };
	return mih_fs_inodes_build(files, n, out);
}

/* Walk a path from the root, one lookup per component. */
static uint64_t walk(const struct mih_fs_inodes *inodes, const char *path)
{
	const struct mih_fs_node *node = mih_fs_inode_get(inodes, MIH_FS_ROOT);
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *name = strtok_r(copy, "/", &save); name && node;
	     name = strtok_r(NULL, "/", &save))
		node = mih_fs_inode_find(inodes, node, name);
	return node ? node->number : 0;
}

/* In code point order of the whole path, where '/' sorts behind '-'. */
static const char *const paths[] = {
	"a-b", "a.txt", "a/x", "a/y/deep", "a/z", "config.json", "größer",
};

static void test_inodes_find_every_file(void **state)
{
	struct mih_fs_inodes inodes;

	(void)state;
	assert_int_equal(build(paths, MIH_ARRAY_LEN(paths), &inodes), 0);
	for (size_t i = 0; i < MIH_ARRAY_LEN(paths); i++) {
		const struct mih_fs_node *node =
		    mih_fs_inode_get(&inodes, walk(&inodes, paths[i]));

		assert_non_null(node);
		assert_false(node->is_dir);
		assert_int_equal(node->first, i);
	}
	assert_int_equal(inodes.n, 1 + MIH_ARRAY_LEN(paths) + 2);
	assert_int_equal(inodes.nblocks, 2 * MIH_ARRAY_LEN(paths));
	mih_fs_inodes_fini(&inodes);
}

static void test_inodes_count_folders(void **state)
{
	struct mih_fs_inodes inodes;
	const struct mih_fs_node *root, *a;

	(void)state;
	assert_int_equal(build(paths, MIH_ARRAY_LEN(paths), &inodes), 0);
	root = mih_fs_inode_get(&inodes, MIH_FS_ROOT);
	assert_int_equal(root->nchildren, 5);
	assert_int_equal(root->nfolders, 1);
	a = mih_fs_inode_get(&inodes, walk(&inodes, "a"));
	assert_true(a->is_dir);
	assert_int_equal(a->nchildren, 3);
	assert_int_equal(a->nfolders, 1);
	assert_int_equal(a->parent, 0);
	mih_fs_inodes_fini(&inodes);
}

static void test_inodes_miss_what_is_not_there(void **state)
{
	static const char *const absent[] = { "a-",  "a-bc",   "b",
					      "a/w", "a/y/de", "zz" };
	struct mih_fs_inodes inodes;

	(void)state;
	assert_int_equal(build(paths, MIH_ARRAY_LEN(paths), &inodes), 0);
	for (size_t i = 0; i < MIH_ARRAY_LEN(absent); i++)
		assert_int_equal(walk(&inodes, absent[i]), 0);
	assert_null(mih_fs_inode_get(&inodes, 0));
	assert_null(mih_fs_inode_get(&inodes, inodes.n + MIH_FS_ROOT));
	mih_fs_inodes_fini(&inodes);
}

static void test_inodes_sort_children_by_name(void **state)
{
	struct mih_fs_inodes inodes;
	const struct mih_fs_node *root;

	(void)state;
	assert_int_equal(build(paths, MIH_ARRAY_LEN(paths), &inodes), 0);
	root = mih_fs_inode_get(&inodes, MIH_FS_ROOT);
	assert_memory_equal(inodes.nodes[root->first].name, "a", 1);
	assert_int_equal(inodes.nodes[root->first].name_len, 1);
	assert_memory_equal(inodes.nodes[root->first + 1].name, "a-b", 3);
	mih_fs_inodes_fini(&inodes);
}

static void test_inodes_refuse_what_no_folder_holds(void **state)
{
	static const char *const bad[][3] = {
		{ "a", "a-b", "a/x" }, /* a file and a folder */
		{ "a", "a", "b" },     /* twice */
		{ "..", "a", "b" },    { "a/./b", "c", "d" },
		{ "/a", "b", "c" },    { "a//b", "c", "d" },
		{ "a", "b", "c/" },
	};
	struct mih_fs_inodes inodes;

	(void)state;
	for (size_t i = 0; i < MIH_ARRAY_LEN(bad); i++)
		assert_int_equal(build(bad[i], 3, &inodes), MIH_EFORMAT);
}

static void test_inodes_of_nothing(void **state)
{
	struct mih_fs_inodes inodes;

	(void)state;
	assert_int_equal(build(NULL, 0, &inodes), 0);
	assert_int_equal(inodes.n, 1);
	assert_int_equal(walk(&inodes, "a"), 0);
	mih_fs_inodes_fini(&inodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inodes_find_every_file),
		cmocka_unit_test(test_inodes_count_folders),
		cmocka_unit_test(test_inodes_miss_what_is_not_there),
		cmocka_unit_test(test_inodes_sort_children_by_name),
		cmocka_unit_test(test_inodes_refuse_what_no_folder_holds),
		cmocka_unit_test(test_inodes_of_nothing),
	};

	return cmocka_run_group_tests_name("inode", tests, NULL, NULL);
}
