/* common/span.h: a place in the text of a script. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct Span {
    uint32_t start;  /* byte offset in the script's text */
    uint32_t length; /* bytes; 0 means "no place" */
} Span;

#define SPAN_NONE ((Span){ 0, 0 })

/* The smallest span that covers both; a span of length 0 covers nothing. */
static inline Span span_join(Span a, Span b)
{
    if (a.length == 0)
        return b;
    if (b.length == 0)
        return a;
    uint32_t start = a.start < b.start ? a.start : b.start;
    uint32_t a_end = a.start + a.length, b_end = b.start + b.length;
    return (Span){ start, (a_end > b_end ? a_end : b_end) - start };
}
