/* functions/cast_internal.h: what the files of CAST share. */
#pragma once
#include "functions/functions_internal.h"

/* sources[i]: the field of `from` that field i of `to` is made of; -1: none, it is NULL. False: they have nothing in common. */
bool struct_cast_fields(const Type *from, const Type *to, int sources[]);
/* BYTES as text are base64, in both directions. bytes.c. */
bool bytes_from_base64(Arena *arena, const Str *text, Str *bytes);
/* interval.c */
bool interval_parse(const char *bytes, size_t length, Interval *result);
/* ARRAY -> ARRAY, MAP -> MAP, STRUCT -> STRUCT. */
void cast_nested(const Args *args, Vector *out, bool try_cast);
