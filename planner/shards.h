/* planner/shards.h: several processes that share the partitions of a topic. */
#pragma once
#include "planner/statement.h"

/* '1/3': this process is the one with number 1 of three. False: the text is none of these. */
bool shard_parse(const char *text, int64_t *shard, int64_t *shards);
/* Queries over a source in shards have to do with each row by itself. */
Error *shards_check(Arena *arena, const Outputs *outputs);
