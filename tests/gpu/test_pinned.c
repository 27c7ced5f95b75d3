/* The block that a device reads: pinned where it is, or allocated. */
#include "lib/test.h"
#include "gpu/offload/pinned_internal.h"

#include <string.h>
#include <sys/mman.h>

#define LEN ((size_t)6 << 20)

static int registered, unregistered, allocated, released;
static mih_err register_err;
static uint8_t plain[LEN];

static mih_err do_register(struct mih_gpu_port *port, void *buf, size_t len)
{
	(void)port;
	(void)buf;
	assert_int_equal(len, LEN);
	registered++;
	return register_err;
}

static void do_unregister(struct mih_gpu_port *port, void *buf)
{
	(void)port;
	(void)buf;
	unregistered++;
}

static void *do_alloc(struct mih_gpu_port *port, size_t len)
{
	(void)port;
	(void)len;
	allocated++;
	return plain;
}

static void do_free(struct mih_gpu_port *port, void *buf)
{
	(void)port;
	assert_ptr_equal(buf, plain);
	released++;
}

static const struct mih_gpu_port_ops registers = {
	.host_alloc = do_alloc,
	.host_free = do_free,
	.host_register = do_register,
	.host_unregister = do_unregister,
};

static const struct mih_gpu_port_ops allocates = {
	.host_alloc = do_alloc,
	.host_free = do_free,
};

static int setup(void **state)
{
	(void)state;
	registered = unregistered = allocated = released = 0;
	register_err = 0;
	return 0;
}

/* Pages of @pinned that have memory. */
static size_t resident(const struct mih_gpu_pinned *pinned)
{
	static unsigned char pages[LEN / 4096];
	size_t n = 0;

	assert_int_equal(mincore(pinned->base, pinned->len, pages), 0);
	for (size_t i = 0; i < pinned->len / 4096; i++)
		n += pages[i] & 1;
	return n;
}

static void test_memory_that_is_there_is_registered(void **state)
{
	struct mih_gpu_pinned pinned;

	(void)state;
	mih_gpu_pinned_reserve(&pinned, &registers, LEN);
	assert_non_null(pinned.base);
	mih_gpu_pinned_open(&pinned, &registers, NULL);
	assert_int_equal(registered, 1);
	assert_int_equal(allocated, 0);
	mih_gpu_pinned_close(&pinned, &registers, NULL);
	assert_int_equal(unregistered, 1);
	assert_int_equal(released, 0);
	assert_null(pinned.base);
}

/* A part may be touched late, when a slot already lies in it. */
static void test_touching_changes_nothing(void **state)
{
	struct mih_gpu_pinned pinned;

	(void)state;
	mih_gpu_pinned_reserve(&pinned, &registers, LEN);
	memset(pinned.base, 0x5a, LEN);
	for (size_t i = 0; i < 3; i++)
		mih_gpu_pinned_touch(&pinned, i, 3);
	for (size_t i = 0; i < LEN; i++)
		assert_int_equal(pinned.base[i], 0x5a);
	mih_gpu_pinned_close(&pinned, &registers, NULL);
}

static void test_what_is_dropped_takes_no_memory(void **state)
{
	struct mih_gpu_pinned pinned;

	(void)state;
	mih_gpu_pinned_reserve(&pinned, &registers, LEN);
	for (size_t i = 0; i < 3; i++)
		mih_gpu_pinned_touch(&pinned, i, 3);
	if (!resident(&pinned)) /* Linux before 5.14 */
		memset(pinned.base, 1, LEN);
	assert_int_equal(resident(&pinned), LEN / 4096);
	for (size_t i = 0; i < 3; i++)
		mih_gpu_pinned_drop(&pinned, i, 3);
	assert_int_equal(resident(&pinned), 0);
	mih_gpu_pinned_close(&pinned, &registers, NULL);
	assert_int_equal(unregistered, 0);
}

static void test_what_cannot_be_registered_is_plain_memory(void **state)
{
	struct mih_gpu_pinned pinned;

	(void)state;
	register_err = MIH_EBACKEND;
	mih_gpu_pinned_reserve(&pinned, &registers, LEN);
	mih_gpu_pinned_open(&pinned, &registers, NULL);
	memset(pinned.base, 1, LEN);
	mih_gpu_pinned_close(&pinned, &registers, NULL);
	assert_int_equal(unregistered, 0);
}

static void test_others_allocate(void **state)
{
	struct mih_gpu_pinned pinned;

	(void)state;
	mih_gpu_pinned_reserve(&pinned, &allocates, LEN);
	assert_null(pinned.base);
	mih_gpu_pinned_touch(&pinned, 0, 3);
	mih_gpu_pinned_drop(&pinned, 0, 3);
	mih_gpu_pinned_open(&pinned, &allocates, NULL);
	assert_ptr_equal(pinned.base, plain);
	mih_gpu_pinned_close(&pinned, &allocates, NULL);
	assert_int_equal(released, 1);
	mih_gpu_pinned_close(&pinned, &allocates, NULL);
	assert_int_equal(released, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_memory_that_is_there_is_registered,
				       setup),
		cmocka_unit_test_setup(test_touching_changes_nothing, setup),
		cmocka_unit_test_setup(test_what_is_dropped_takes_no_memory,
				       setup),
		cmocka_unit_test_setup(
		    test_what_cannot_be_registered_is_plain_memory, setup),
		cmocka_unit_test_setup(test_others_allocate, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
