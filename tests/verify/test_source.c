/*
 * Reading a backing file through the page cache and around it. Files lie in
 * /var/tmp, which is a disk on most machines; where it is none, the same bytes
 * are expected by the other way.
 */
#include "lib/test.h"
#include "util/checked.h"
#include "verify/source/source_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define EXTENT	((size_t)1 << 20)
#define NBYTES	(2 * EXTENT + 4096 + 77)
#define BEYOND	0x5a /* what memory behind a piece holds, and must keep */
#define RAGGED	(2 * EXTENT)
#define NRAGGED (NBYTES - RAGGED)

static uint8_t bytes[NBYTES];
static uint8_t *room; /* NBYTES and a page */
static char path[64];

static uint8_t byte_at(size_t off)
{
	return (uint8_t)(off % 251 + off / 65536);
}

/* Return: a new source of the file at @dir/..., whose pages are dropped. */
static void begin(struct mih_verify_source *source, const char *dir,
		  size_t nbytes)
{
	int fd;

	snprintf(path, sizeof(path), "%s/mihfs-source.XXXXXX", dir);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	for (size_t i = 0; i < NBYTES; i++)
		bytes[i] = byte_at(i);
	assert_int_equal(write(fd, bytes, nbytes), nbytes);
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	mih_verify_source_init(source, fd);
	memset(room, BEYOND, NBYTES + 4096);
}

static void end(struct mih_verify_source *source)
{
	mih_verify_source_fini(source);
	unlink(path);
}

/* The bytes are right, and nothing else was written to. */
static void check_read(struct mih_verify_source *source, size_t off, size_t len,
		       bool around)
{
	const struct mih_verify_piece piece = { room, len, off };

	assert_int_equal(
	    mih_verify_source_read(source, &piece, MIH_PAGES_SOME, around), 0);
	assert_memory_equal(room, bytes + off, len);
	for (size_t i = 0; i < 4096; i++)
		assert_int_equal(room[len + i], BEYOND);
	memset(room, BEYOND, len);
}

static bool is_disk(const struct mih_verify_source *source)
{
	struct stat st;

	return fstat(source->fd, &st) == 0 && major(st.st_dev) != 0;
}

static void test_around_leaves_no_pages(void **state)
{
	struct mih_verify_source source;
	enum mih_pages before, after;

	(void)state;
	begin(&source, "/var/tmp", NBYTES);
	before = mih_pages_cached(source.fd, 0, EXTENT);
	check_read(&source, 0, EXTENT, true);
	after = mih_pages_cached(source.fd, 0, EXTENT);
	if (is_disk(&source) && atomic_load(&source.around) >= 0)
		assert_int_equal(before, after);
	check_read(&source, 0, EXTENT, false);
	after = mih_pages_cached(source.fd, 0, EXTENT);
	assert_true(after == MIH_PAGES_ALL || after == MIH_PAGES_UNKNOWN);
	end(&source);
}

static void test_the_ragged_end_brings_nothing_along(void **state)
{
	struct mih_verify_source source;

	(void)state;
	begin(&source, "/var/tmp", NBYTES);
	check_read(&source, RAGGED, NRAGGED, true);
	check_read(&source, RAGGED + 4096, NRAGGED - 4096, true);
	check_read(&source, EXTENT, 65536, true);
	end(&source);
}

static void test_memory_and_positions_of_any_kind(void **state)
{
	struct mih_verify_source source;
	struct mih_verify_piece piece = { NULL, 8192, 4096 };

	(void)state;
	begin(&source, "/var/tmp", NBYTES);
	piece.data = room + 1;
	assert_int_equal(
	    mih_verify_source_read(&source, &piece, MIH_PAGES_SOME, true), 0);
	assert_memory_equal(room + 1, bytes + 4096, 8192);
	assert_int_equal(room[0], BEYOND);
	memset(room, BEYOND, 16384);
	check_read(&source, 4097, 8192, true);
	end(&source);
}

static void test_a_file_that_was_cut(void **state)
{
	struct mih_verify_source source;
	const struct mih_verify_piece cut = { room, EXTENT, EXTENT };

	(void)state;
	begin(&source, "/var/tmp", NBYTES);
	check_read(&source, 0, EXTENT, true);
	assert_int_equal(truncate(path, EXTENT + 65536 + 5), 0);
	assert_int_equal(
	    mih_verify_source_read(&source, &cut, MIH_PAGES_SOME, true),
	    -ENODATA);
	memset(room, BEYOND, EXTENT);
	check_read(&source, EXTENT, 65536, true);
	end(&source);
}

static void test_memory_files_are_read_plainly(void **state)
{
	struct mih_verify_source source;

	(void)state;
	if (access("/dev/shm", W_OK) < 0)
		return;
	begin(&source, "/dev/shm", NBYTES);
	check_read(&source, 0, EXTENT, true);
	check_read(&source, RAGGED, NRAGGED, true);
	if (!is_disk(&source))
		assert_true(atomic_load(&source.around) < 0);
	end(&source);
}

static void test_small_files_take_one_descriptor(void **state)
{
	struct mih_verify_source source;

	(void)state;
	begin(&source, "/var/tmp", EXTENT - 1);
	check_read(&source, 0, EXTENT - 1, true);
	assert_true(atomic_load(&source.around) < 0);
	end(&source);
}

/* Half of the descriptors are for files that are opened. */
static void test_descriptors_are_left_for_others(void **state)
{
	struct mih_verify_source source;
	struct rlimit before, few;

	(void)state;
	begin(&source, "/var/tmp", NBYTES);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)source.fd + 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	check_read(&source, 0, EXTENT, true);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(atomic_load(&source.around) < 0);
	check_read(&source, 0, EXTENT, true);
	end(&source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_around_leaves_no_pages),
		cmocka_unit_test(test_the_ragged_end_brings_nothing_along),
		cmocka_unit_test(test_memory_and_positions_of_any_kind),
		cmocka_unit_test(test_a_file_that_was_cut),
		cmocka_unit_test(test_memory_files_are_read_plainly),
		cmocka_unit_test(test_small_files_take_one_descriptor),
		cmocka_unit_test(test_descriptors_are_left_for_others),
	};

	room = aligned_alloc(4096, (NBYTES + 2 * 4096) / 4096 * 4096);
	if (!room)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
