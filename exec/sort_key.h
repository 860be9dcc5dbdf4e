/* exec/sort_key.h: the ORDER BY values of a row as bytes that memcmp puts in order.
 *
 *   per key: 0 NULL first | 1 value | 2 NULL last; the value's bytes (inverted when descending):
 *   integers big endian with the sign turned, doubles likewise (NaN last), strings with 00 as 00 FF, ended by 00 00 */
#pragma once
#include "exec/value_bytes.h"
#include "planner/plan.h"

/* Appends the key of a row. */
void sort_key_put(Text *bytes, const SortKey keys[], int key_count, Vector *const columns[], uint32_t row);
int sort_key_compare(const Str *a, const Str *b);
