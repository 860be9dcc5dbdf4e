/* tests/unit/common/unit.h: what the unit tests of the lower rooms share: cmocka, seeded random numbers, assertions over views. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/str.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* xorshift64*: the same numbers in every run. */
static uint64_t random_state = 0x2545F4914F6CDD1Dull;
static inline uint64_t random_bits(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545F4914F6CDD1Dull;
}
static inline uint64_t random_upto(uint64_t n) { return (random_bits() >> 11) % (n + 1); }
static inline int64_t random_between(int64_t low, int64_t high) { return low + (int64_t)random_upto((uint64_t)(high - low)); }

/* The bytes are this text. */
static inline void assert_text(const char *bytes, size_t length, const char *expected)
{
    if (length != strlen(expected) || memcmp(bytes, expected, length) != 0)
        fail_msg("'%.*s' instead of '%s'", (int)length, bytes, expected);
}
static inline void assert_str(const Str *str, const char *expected) { assert_text(str_bytes(str), str->length, expected); }

/* There is an error, and its message holds `part`; frees it. */
static inline void assert_error(Error *error, const char *part)
{
    if (!error)
        fail_msg("no error, but one with '%s' was expected", part);
    if (!strstr(error->message, part))
        fail_msg("error '%s' does not hold '%s'", error->message, part);
    error_free(error);
}
/* There is none; the message is shown if there is. */
static inline void assert_fine(Error *error)
{
    if (error)
        fail_msg("error: %s", error->message);
}
