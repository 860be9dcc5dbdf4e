/* common/value.h: one value of any type: constants, defaults, options. Never used per row. */
#pragma once
#include "common/type.h"

typedef struct Value {
    const Type *type;
    bool is_null;
    union {
        int64_t integer;   /* integers, dates, times, timestamps, BOOLEAN (0/1), DECIMAL up to 18 digits */
        double number;     /* FLOAT, DOUBLE */
        Int128 decimal;    /* DECIMAL above 18 digits */
        Str text;          /* VARCHAR, BYTES */
        Interval interval;
        struct {
            struct Value *items; /* ARRAY elements; STRUCT fields; MAP key, value, key, value.. */
            uint32_t count;
        } nested;
    };
} Value;

Value value_null(const Type *type);
Value value_copy(Arena *arena, const Value *value);
bool value_equal(const Value *a, const Value *b); /* NULL equals NULL; NaN equals NaN */
int value_compare(const Value *a, const Value *b); /* scalars of the same type; NULL last */
/* The value as SQL text (quoted strings, TIMESTAMP '..'), which parses back to itself. */
void value_print(const Value *value, Text *text);
