/*
 * tests/lib/test.h - cmocka with the headers it needs, in its order
 */
#ifndef MIH_TESTS_LIB_TEST_H
#define MIH_TESTS_LIB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* The byte at @i of the pattern that vectors use: a prime period, so that
 * swapped blocks never match. */
static inline uint8_t mih_test_pattern(uint64_t i)
{
	return (uint8_t)(i % 251);
}

static inline void mih_test_fill(uint8_t *buf, size_t len, uint64_t from)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = mih_test_pattern(from + i);
}

#endif
