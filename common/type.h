/* common/type.h: SQL types, and how their values lie in memory.
 *
 * Several SQL types share one physical form, so that kernels are few: every integer, date, time,
 * timestamp and DECIMAL of up to 18 digits is an int64_t. Ranges (INT, TINYINT..) are checked where values enter. */
#pragma once
#include "common/arena.h"
#include "common/str.h"

typedef __int128 Int128;

typedef enum TypeKind {
    TYPE_NONE = 0,     /* ends argument lists */
    TYPE_NULL,         /* the type of a bare NULL; fits everything */
    TYPE_BOOLEAN,
    TYPE_TINYINT,
    TYPE_SMALLINT,
    TYPE_INT,
    TYPE_BIGINT,
    TYPE_FLOAT,        /* a double rounded to single precision */
    TYPE_DOUBLE,
    TYPE_DECIMAL,      /* precision <= 38, scale <= precision; scaled integer */
    TYPE_VARCHAR,      /* UTF-8; length limit in `precision`, 0 = none */
    TYPE_BYTES,
    TYPE_DATE,         /* days since 1970-01-01 */
    TYPE_TIME,         /* microseconds since midnight */
    TYPE_TIMESTAMP,    /* microseconds since 1970-01-01 00:00:00, without zone; `precision` = digits shown, 0..6 */
    TYPE_TIMESTAMP_TZ, /* the same as an instant in UTC (WITH [LOCAL] TIME ZONE) */
    TYPE_INTERVAL,     /* months and microseconds */
    TYPE_ARRAY,
    TYPE_MAP,
    TYPE_STRUCT,
    TYPE_LAMBDA,       /* an argument of a function that takes x => ..; only in signatures */
    TYPE_ANY           /* only in signatures of functions */
} TypeKind;

typedef enum PhysicalType {
    PHYSICAL_BOOL,     /* uint8_t 0 or 1 */
    PHYSICAL_INT64,
    PHYSICAL_DOUBLE,
    PHYSICAL_INT128,   /* DECIMAL of more than 18 digits; 16-byte aligned */
    PHYSICAL_STR,      /* Str */
    PHYSICAL_INTERVAL, /* Interval */
    PHYSICAL_ARRAY,    /* offsets + children[0]; a MAP is an ARRAY of STRUCT<key, value> */
    PHYSICAL_STRUCT    /* children, one a field */
} PhysicalType;

typedef struct Interval {
    int64_t months;
    int64_t us; /* days count as 24 hours */
} Interval;

typedef struct Type {
    TypeKind kind;
    uint8_t precision; /* DECIMAL digits; TIMESTAMP fraction digits shown */
    uint8_t scale;     /* DECIMAL */
    uint32_t length;   /* VARCHAR(n), 0 = no limit */
    int child_count;   /* ARRAY 1, MAP 2 (key, value), STRUCT n */
    const struct Type *const *children;
    const char *const *names; /* STRUCT field names */
} Type;

/* The one object for each scalar kind (TIMESTAMP means TIMESTAMP(3), DECIMAL means DECIMAL(38,0)). */
const Type *type_scalar(TypeKind kind);
const Type *type_decimal(Arena *arena, int precision, int scale);
const Type *type_timestamp(Arena *arena, TypeKind kind, int precision);
const Type *type_varchar(Arena *arena, uint32_t length);
const Type *type_array(Arena *arena, const Type *element);
const Type *type_map(Arena *arena, const Type *key, const Type *value);
const Type *type_struct(Arena *arena, int field_count, const char *const names[], const Type *const types[]);
const Type *type_copy(Arena *arena, const Type *type); /* deep, for a longer life */

PhysicalType type_physical(const Type *type);
size_t type_width(const Type *type); /* bytes a value; 0 for ARRAY, MAP, STRUCT */
bool type_equal(const Type *a, const Type *b); /* precision, scale and field names included */
bool type_is_integer(const Type *type);
bool type_is_numeric(const Type *type); /* integers, FLOAT, DOUBLE, DECIMAL */
bool type_is_nested(const Type *type);
bool type_is_timestamp(const Type *type);
bool type_holds_instants(const Type *type); /* TIMESTAMP WITH TIME ZONE, also in its elements and fields */
int type_field(const Type *struct_type, const char *name); /* index; exact, then unique without case; -1 */
const char *type_kind_name(TypeKind kind);
void type_print(const Type *type, Text *text); /* as SQL: DECIMAL(10,2), ARRAY<INT>, STRUCT<a INT> */
const char *type_text(Arena *arena, const Type *type);
