/* functions/functions_internal.h: what the files of the room share. */
#pragma once
#include "functions/functions.h"

/* One table a file, ended by a NULL name; registry.c lists them. */
extern const ScalarFunction arithmetic_functions[];
extern const ScalarFunction compare_functions[];
extern const ScalarFunction logic_functions[];
extern const ScalarFunction like_functions[];
extern const ScalarFunction constructor_functions[];
extern const ScalarFunction string_functions[];
extern const ScalarFunction math_functions[];
extern const ScalarFunction time_functions[];
extern const ScalarFunction array_functions[];
extern const ScalarFunction map_functions[];
extern const ScalarFunction lambda_functions[];
extern const ScalarFunction lua_functions[];
extern const ScalarFunction interval_functions[];
extern const ScalarFunction json_functions[];
extern const ScalarFunction json_path_functions[];
extern const ScalarFunction regexp_functions[];
extern const ScalarFunction url_functions[];
extern const ScalarFunction digest_functions[];
extern const ScalarFunction ordering_functions[];
extern const ScalarFunction text_functions[];
extern const ScalarFunction edit_functions[];
extern const ScalarFunction bytes_functions[];
extern const ScalarFunction date_functions[];
extern const ScalarFunction table_functions[];
extern const ScalarFunction timezone_functions[];
extern const ScalarFunction geo_functions[];
extern const ScalarFunction value_functions[];

/* Hot loops are compiled twice and chosen at run time. Sanitizers do not get along with that. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

/* The DECIMAL, or the integer, at a row. */
static inline Int128 decimal_at(const void *values, bool wide, uint32_t row)
{
    return wide ? ((const Int128 *)values)[row] : (Int128)((const int64_t *)values)[row];
}
static inline void decimal_put(void *values, bool wide, uint32_t row, Int128 value)
{
    if (wide)
        ((Int128 *)values)[row] = value;
    else
        ((int64_t *)values)[row] = (int64_t)value;
}

/* Scale of a DECIMAL; 0 for integers. */
static inline int scale_of(const Type *type) { return type->kind == TYPE_DECIMAL ? type->scale : 0; }
/* Digits of a DECIMAL or integer type. */
int digits_of(const Type *type);

/* Bytes as a text, which must be UTF-8: what is none becomes U+FFFD. A view where nothing changes. */
Str valid_text(Arena *arena, const char *bytes, size_t length);

static inline bool validity_at(const Vector *vector, uint32_t row) { return !vector_is_null(vector, row); }

/* ---- long_capitals.c ---- */
#define LONG_CAPITAL 3 /* letters at most */
typedef struct LongCapital { int32_t letter, capital[LONG_CAPITAL]; } LongCapital; /* 0: no more of them */
/* NULL: one letter's capital is one letter, or there is none. */
const LongCapital *long_capital(int32_t point);
