/* repl/server_rows.h: a server's rows, which are JSON, as rows to be shown. */
#pragma once
#include <jansson.h>

#include "common/batch.h"

void server_schema(Arena *arena, const json_t *names, const json_t *types, Schema *schema);
/* Puts values into a row. `line`: the object that they stand in, under "row": digits of decimals, and what is nested, are shown as they are there; NULL: they are not. */
void server_row(Batch *batch, const Schema *schema, uint32_t row, const json_t *values, const char *line, size_t length);
