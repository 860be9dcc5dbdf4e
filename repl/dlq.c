/* repl/dlq.c: `bidsql dlq replay`: letters of a topic of dead letters are sent on to a topic of what is tried again. */
#include "repl/dlq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 64

static const char help[] =
    "bidsql dlq replay --from TOPIC --to TOPIC [options]: sends dead letters on, to be tried again\n\n"
    "  --kafka ADDRESSES      the brokers; like --set properties.bootstrap.servers=ADDRESSES\n"
    "  --filter NAME=VALUE    only letters whose header bq.error.NAME is VALUE: kind, code, topic, query, column ..\n"
    "  --filter NAME~TEXT     .. holds TEXT: message~timestamp. Several filters must all hold\n"
    "  --query NAME           like --filter query=NAME\n"
    "  --group NAME           only letters that this consumer group has not seen; it remembers them\n"
    "  --max-attempts N       letters that have failed more often stay\n"
    "  --limit N              no more than N letters\n"
    "  --dry-run              say how many, and do nothing\n"
    "  --set KEY=VALUE        a setting, such as properties.sasl.username\n\n"
    "Key, value, time and headers are as they came; of bq.error.* only the number of attempts stays. Letters never go back to the topic they came from.\n";

typedef struct Words {
    ReplayOptions replay;
    ReplayFilter filters[PAIRS_MAX];
    struct { char *name, *value; } settings[PAIRS_MAX];
    int setting_count;
    bool help;
} Words;

static Error *take_number(const char *option, const char *text, int64_t *number)
{
    char *end;
    *number = strtoll(text, &end, 10);
    return *text && !*end && *number >= 0 ? NULL : error_new(ERR_USAGE, "%s wants a number, not '%s'", option, text);
}

static Error *take_filter(Words *words, char *text)
{
    size_t at = strcspn(text, "=~");
    if (at == 0 || !text[at] || words->replay.filter_count == PAIRS_MAX)
        return error_new(ERR_USAGE, "--filter wants NAME=VALUE or NAME~TEXT, not '%s'", text);
    words->filters[words->replay.filter_count++] = (ReplayFilter){ text, text + at + 1, text[at] == '~' };
    text[at] = 0;
    return NULL;
}

static Error *take_setting(Words *words, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text || words->setting_count == PAIRS_MAX)
        return error_new(ERR_USAGE, "--set wants KEY=VALUE, not '%s'", text);
    *equals = 0;
    words->settings[words->setting_count].name = text;
    words->settings[words->setting_count++].value = equals + 1;
    return NULL;
}

static Error *take_option(Words *words, const char *option, char *value)
{
    if (strcmp(option, "--from") == 0)
        words->replay.from = value;
    else if (strcmp(option, "--to") == 0)
        words->replay.to = value;
    else if (strcmp(option, "--group") == 0)
        words->replay.group = value;
    else if (strcmp(option, "--max-attempts") == 0)
        return take_number(option, value, &words->replay.max_attempts);
    else if (strcmp(option, "--limit") == 0)
        return take_number(option, value, &words->replay.limit);
    else if (strcmp(option, "--filter") == 0)
        return take_filter(words, value);
    else if (strcmp(option, "--set") == 0)
        return take_setting(words, value);
    else if (strcmp(option, "--query") == 0 && words->replay.filter_count < PAIRS_MAX)
        words->filters[words->replay.filter_count++] = (ReplayFilter){ "query", value, false };
    else if (strcmp(option, "--kafka") == 0 && words->setting_count < PAIRS_MAX) {
        words->settings[words->setting_count].name = "properties.bootstrap.servers";
        words->settings[words->setting_count++].value = value;
    } else
        return error_hint(error_new(ERR_USAGE, "bidsql dlq replay has no option '%s'", option), "bidsql dlq --help lists them");
    return NULL;
}

static Error *take_words(int count, char **all, Words *words)
{
    words->replay.limit = -1;
    words->replay.filters = words->filters;
    for (int i = 0; i < count; i++)
        if (strcmp(all[i], "--help") == 0 || strcmp(all[i], "-h") == 0) {
            words->help = true;
            return NULL;
        }
    if (count == 0 || strcmp(all[0], "replay") != 0)
        return error_hint(error_new(ERR_USAGE, "bidsql dlq: what is to be done?"), "bidsql dlq replay --from TOPIC --to TOPIC");
    for (int i = 1; i < count; i++) {
        if (strcmp(all[i], "--dry-run") == 0) {
            words->replay.dry_run = true;
            continue;
        }
        if (i + 1 == count)
            return error_new(ERR_USAGE, "'%s' is an option without its value, or none", all[i]);
        TRY(take_option(words, all[i], all[i + 1]));
        i++;
    }
    if (!words->replay.from || !words->replay.to)
        return error_hint(error_new(ERR_USAGE, "bidsql dlq replay: from which topic to which?"), "--from TOPIC --to TOPIC");
    return NULL;
}

static Error *replay(const Words *words, Session *session)
{
    ReplayResult result = { 0 };
    for (int i = 0; i < words->setting_count; i++)
        TRY(session_set(session, words->settings[i].name, words->settings[i].value));
    Error *error = session_replay(session, &words->replay, &result);
    if (!error || result.replayed)
        printf("%llu letter%s %s from '%s' to '%s', %llu left\n", (unsigned long long)result.replayed, result.replayed == 1 ? "" : "s",
               words->replay.dry_run ? "would go" : "sent", words->replay.from, words->replay.to, (unsigned long long)result.left);
    return error;
}

Error *dlq_main(int count, char **all, Session **running)
{
    Words words = { .help = false };
    const SessionOptions options = { .threads = 1, .max_bad_rows = UINT64_MAX };
    Session *session;
    TRY(take_words(count, all, &words));
    if (words.help) {
        fputs(help, stdout);
        return NULL;
    }
    TRY(session_new(&options, &session));
    *running = session;
    Error *error = replay(&words, session);
    *running = NULL;
    session_free(session);
    return error;
}
