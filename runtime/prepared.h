/* runtime/prepared.h: pull queries by key that were asked before with another key. Private to the room. */
#pragma once
#include "runtime/runtime_internal.h"

PreparedQueries *prepared_new(void);
void prepared_free(PreparedQueries *prepared); /* NULL is fine */
void prepared_forget(PreparedQueries *prepared);
/* Answers a query whose like is known. *answered false: it is not, and nobody was told anything. */
Error *prepared_answer(RuntimeSession *session, const char *text, size_t length, const QueryOptions *options, bool *answered);
/* Learns from a pull query that was planned just now. Under control. */
Error *prepared_learn(RuntimeSession *session, const char *text, size_t length, const Query *pulled);
