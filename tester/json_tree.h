/* tester/json_tree.h: a JSON document as a tree that keeps numbers as they are written. Private to the room. */
#pragma once
#include "common/arena.h"
#include "common/str.h"
#include "tester/json_parse.h"

/* Reads one document; comments (// and those between slash and star) count as blanks. The error has no place in SQL; its text says what is wrong. */
Error *json_tree_read(Arena *arena, const char *text, size_t length, JsonTree **tree);

/* The member of that name, or NULL; NULL, too, where `object` is NULL or something else. */
const JsonTree *json_member(const JsonTree *object, const char *name);
/* Its text if it is a string or number, else NULL. */
const char *json_text(const JsonTree *tree);
bool json_is_null(const JsonTree *tree); /* NULL counts, too */
/* Appends it as JSON without blanks. */
void json_tree_print(const JsonTree *tree, Text *text);
