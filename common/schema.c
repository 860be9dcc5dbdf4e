/* common/schema.c: named, typed columns. */
#include "common/schema.h"

int schema_find(const Schema *schema, const char *name)
{
    int found = -1;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < schema->column_count; i++) {
            const char *other = schema->columns[i].name;
            if (pass == 0 ? strcmp(other, name) == 0 : name_equal(other, name)) {
                if (found >= 0)
                    return -2;
                found = i;
            }
        }
        if (found >= 0)
            return found;
    }
    return -1;
}

Schema *schema_copy(Arena *arena, const Schema *schema)
{
    Schema *copy = ARENA_NEW(arena, Schema);
    copy->column_count = schema->column_count;
    copy->columns = arena_copy(arena, schema->columns, sizeof(Column) * (size_t)schema->column_count);
    for (int i = 0; i < copy->column_count; i++) {
        copy->columns[i].name = arena_strdup(arena, copy->columns[i].name);
        copy->columns[i].type = type_copy(arena, copy->columns[i].type);
    }
    return copy;
}
