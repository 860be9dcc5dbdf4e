/* tests/fuzz/generator_internal.h: what generator.c (expressions, queries) and generator_statements.c share. */
#pragma once
#include <string.h>
#include "tests/fuzz/generator.h"

static inline uint32_t choose(Generator *g, uint32_t count) { return g->at < g->size ? g->data[g->at++] % count : 0; }
static inline bool sometimes(Generator *g) { return choose(g, 4) == 3; }
static inline bool rarely(Generator *g) { return choose(g, 12) == 11; }
static inline void put(Generator *g, const char *text) { text_add_c(g->out, text); }

#define PICK(g, ...)                                              \
    do {                                                          \
        static const char *const all_[] = { __VA_ARGS__ };        \
        put((g), all_[choose((g), sizeof all_ / sizeof *all_)]);  \
    } while (0)

void generate_query(Generator *g);
void generate_any(Generator *g); /* an expression of some type */
void generate_type(Generator *g);
void generate_relation_name(Generator *g);
void generate_new_name(Generator *g);
void generate_list(Generator *g, void (*item)(Generator *), uint32_t most);
