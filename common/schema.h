/* common/schema.h: named, typed columns. */
#pragma once
#include "common/type.h"

typedef struct Column {
    const char *name;
    const Type *type;
    bool is_key;      /* KEY or part of PRIMARY KEY */
    bool not_null;
    bool hidden;      /* reachable by name, not part of `*`: pseudo columns */
} Column;

typedef struct Schema {
    int column_count;
    Column *columns;
} Schema;

/* Index of the column: an exact match first, then a unique match without case; -1 none, -2 ambiguous. */
int schema_find(const Schema *schema, const char *name);
Schema *schema_copy(Arena *arena, const Schema *schema);
