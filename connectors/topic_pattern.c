/* connectors/topic_pattern.c: names of topics that match a regular expression as a whole. */
#include "connectors/topic_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A TopicPattern is a pcre2_code under another name: it has no more to it. */

Error *topic_pattern_new(const char *text, TopicPattern **pattern)
{
    int number;
    PCRE2_SIZE at;
    *pattern = (TopicPattern *)pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF, &number, &at, NULL);
    if (*pattern)
        return NULL;
    char reason[128];
    pcre2_get_error_message(number, (PCRE2_UCHAR *)reason, sizeof reason);
    return error_new(ERR_BIND, "'%s' is no regular expression: %s, at character %zu", text, reason, (size_t)at + 1);
}

bool topic_pattern_matches(const TopicPattern *pattern, const char *name)
{
    const pcre2_code *code = (const pcre2_code *)pattern;
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    int found = match ? pcre2_match(code, (PCRE2_SPTR)name, PCRE2_ZERO_TERMINATED, 0, 0, match, NULL) : -1;
    pcre2_match_data_free(match);
    return found >= 0;
}

void topic_pattern_unwind(void *pattern)
{
    pcre2_code_free((pcre2_code *)*(TopicPattern **)pattern);
    *(TopicPattern **)pattern = NULL;
}
