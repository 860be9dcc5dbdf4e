/* connectors/topic_pattern.h: names of topics that match a regular expression as a whole. Private to the connector 'kafka'. */
#pragma once
#include "common/error.h"

typedef struct TopicPattern TopicPattern;

/* ERR_BIND, with the place in the pattern, if it is none. */
Error *topic_pattern_new(const char *text, TopicPattern **pattern);
bool topic_pattern_matches(const TopicPattern *pattern, const char *name);
void topic_pattern_unwind(void *pattern); /* frees; a TopicPattern **, also for MEMORY_HOLD */
