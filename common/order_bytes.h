/* common/order_bytes.h: a value as bytes that memcmp puts in order.
 *
 *   0 NULL first | 1 value | 2 NULL last; the value's bytes (inverted when descending):
 *   integers big endian with the sign turned, doubles likewise (NaN last), strings with 00 as 00 FF, ended by 00 00 */
#pragma once
#include "common/vector.h"

/* Appends the value at a row. */
void order_bytes_put(Text *bytes, const Vector *vector, uint32_t row, bool descending, bool nulls_first);
