/* common/secrets.h: what is never shown: values that stand in SQL under the names of secrets. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

/* Is what stands under this name a secret ('sasl.password', 'basic.auth.user.info', token ..)? */
bool secret_is_name(const char *name, size_t length);
/* The value as it may be shown: '*****' if the name is a secret's, unless the value only refers to it ('${env:NAME}', '${file:PATH}'). A password in a URL is
 * covered under every name. */
const char *secret_value_shown(Arena *arena, const char *name, const char *value);
/* The same for all values in a text of SQL, which may be wrong SQL. */
const char *secrets_shown(Arena *arena, const char *sql, size_t length);
/* In place: as many stars as a value has bytes, and its line ends, so that places in the text stay. */
void secrets_cover(char *sql, size_t length);
