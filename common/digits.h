/* common/digits.h: decimal digits, two at a time: what every writer of numbers and times starts from. */
#pragma once
#include <stdint.h>
#include <string.h>

static const char digit_pairs[201] =
    "00010203040506070809" "10111213141516171819" "20212223242526272829" "30313233343536373839" "40414243444546474849"
    "50515253545556575859" "60616263646566676869" "70717273747576777879" "80818283848586878889" "90919293949596979899";

/* 0..99 as two digits; returns the place behind them. */
static inline char *put_pair(char *out, unsigned value)
{
    memcpy(out, digit_pairs + value * 2, 2);
    return out + 2;
}

/* 0..999999 as six digits. */
static inline char *put_six(char *out, unsigned value)
{
    put_pair(out, value / 10000);
    put_pair(out + 2, value / 100 % 100);
    return put_pair(out + 4, value % 100);
}

static inline int digit_count(uint64_t value)
{
    static const uint64_t powers[] = { 0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
        100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
        1000000000000000000, 10000000000000000000u };
    int guess = (64 - __builtin_clzll(value | 1)) * 1233 >> 12; /* log10(2) = 1233 / 4096 */
    return guess + (value >= powers[guess]);
}

/* The digits of `value` (just one for 0); returns the place behind them. */
static inline char *put_digits(char *out, uint64_t value)
{
    char *end = out + digit_count(value), *at = end;
    while (value >= 100) {
        at -= 2;
        put_pair(at, (unsigned)(value % 100));
        value /= 100;
    }
    if (value >= 10)
        put_pair(at - 2, (unsigned)value);
    else
        at[-1] = (char)('0' + value);
    return end;
}
