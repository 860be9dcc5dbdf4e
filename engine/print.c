/* engine/print.c: PRINT: the messages of a topic as they are, in lines, until LIMIT or Ctrl-C. Topics within the process end where they end now.
 *
 * What keys and values may be is said at the top, and again whenever a record rules a format out. */
#include "common/calendar.h"
#include "connectors/topics.h"
#include "engine/print.h"
#include "engine/record_text.h"
#include "engine/session_internal.h"
#include "engine/waiter.h"
#include "planner/catalog.h"

#define DRAW_ROWS 1000 /* messages that are drawn at a time */

typedef struct Printing {
    Waiter waiter;
    const TopicPrint *print;
    Source source;
    bool *ended;                 /* by split */
    RecordText keys, values;
    RecordSchemas *schemas;
    Text key_formats, value_formats; /* as they were told last */
    Text lines, line;
    uint64_t seen, shown;
} Printing;

/* ---- lines ---- */

static void add_time(int64_t timestamp_us, Text *text)
{
    CivilTime civil = civil_from_us(timestamp_us);
    text_printf(text, "rowtime: %04d/%02d/%02d %02d:%02d:%02d.%03d Z", civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second,
                civil.us / (int)US_PER_MS);
}

/* Others read every message to tell the formats, also those that are not shown. */
static void add_record(Printing *printing, const RecordSet *set, const Record *record)
{
    const int64_t interval = printing->print->planned->topics.interval;
    printing->line.length = 0;
    add_time(record->timestamp_us, &printing->line);
    text_add_c(&printing->line, ", key: ");
    record_text_add(&printing->keys, record->key, record->key_length, &printing->line);
    text_add_c(&printing->line, ", value: ");
    record_text_add(&printing->values, record->value, record->value_length, &printing->line);
    text_printf(&printing->line, ", partition: %d\n", (int)set->partition);
    if (printing->seen++ % (uint64_t)interval)
        return;
    text_add(&printing->lines, text_c(&printing->line), printing->line.length);
    printing->shown++;
}

static bool is_enough(const Printing *printing)
{
    return printing->print->planned->topics.limit >= 0 && printing->shown >= (uint64_t)printing->print->planned->topics.limit;
}

static void tell_formats(const RecordText *text, const char *what, Text *told, Text *line)
{
    Text now = { 0 };
    MEMORY_HOLD(text_unwind, &now);
    record_text_formats(text, &now);
    if (told->length != now.length || memcmp(text_c(told), text_c(&now), now.length) != 0) {
        text_printf(line, "%s: %s\n", what, text_c(&now));
        told->length = 0;
        text_add(told, text_c(&now), now.length);
    }
    text_release(&now);
}

static Error *give_lines(Printing *printing)
{
    Text all = { 0 };
    MEMORY_HOLD(text_unwind, &all);
    tell_formats(&printing->keys, "Key format", &printing->key_formats, &all);
    tell_formats(&printing->values, "Value format", &printing->value_formats, &all);
    text_add(&all, text_c(&printing->lines), printing->lines.length);
    printing->lines.length = 0;
    uint32_t count = 0, row = 0;
    for (size_t i = 0; i < all.length; i++)
        count += all.bytes[i] == '\n';
    Batch *batch = batch_for_schema(NULL, topic_print_schema(), count);
    for (size_t at = 0; at < all.length; row++) {
        const char *end = memchr(all.bytes + at, '\n', all.length - at);
        const size_t length = (size_t)(end - all.bytes) - at;
        ((Str *)batch->columns[0]->values)[row] = str_view(arena_strndup(&batch->arena, all.bytes + at, length), length);
        at += length + 1;
    }
    batch->row_count = batch->selection.count = count;
    text_release(&all);
    Error *error = count ? printing->print->lines(printing->print->caller, batch) : NULL;
    batch_release(batch);
    return error;
}

/* ---- reading ---- */

/* What one split has now. */
static Error *draw(Printing *printing, int split, bool *drawn, bool *ended)
{
    const SourceType *type = printing->source.spec->connector->source;
    RowRange range;
    TRY(type->next_rows(&printing->source, split, DRAW_ROWS, printing->print->clock->now_us(printing->print->clock), &range));
    const RecordSet *set = range.page;
    for (uint64_t i = 0; i < range.count && !is_enough(printing); i++)
        add_record(printing, set, &set->records[i]);
    if (range.page && range.page_free)
        range.page_free(range.page);
    *drawn |= range.count > 0;
    *ended = range.end;
    return NULL;
}

static Error *draw_all(Printing *printing, bool *drawn)
{
    *drawn = false;
    for (int split = 0; split < printing->source.split_count && !is_enough(printing); split++)
        if (!printing->ended[split])
            TRY(draw(printing, split, drawn, &printing->ended[split]));
    return NULL;
}

static Error *print_messages(Printing *printing)
{
    const bool ends = printing->print->ends && printing->print->connectors->topics;
    bool drawn = false;
    printing->ended = mem_calloc((size_t)printing->source.split_count + 1, sizeof *printing->ended);
    while (!is_enough(printing)) {
        if (printing->print->stops(printing->print->caller))
            return error_new(ERR_INTERRUPTED, "interrupted");
        TRY(draw_all(printing, &drawn));
        if (drawn)
            TRY(give_lines(printing));
        else if (ends)
            break;
        else
            waiter_rest(&printing->waiter);
    }
    return printing->seen ? NULL : give_lines(printing);
}

/* ---- the statement ---- */

static Error *print_topic(Printing *printing)
{
    ConnectorContext context = *printing->print->connectors;
    const SourceSpec spec = { .connector = connector_find("kafka"), .options = printing->print->planned->topics.options };
    context.waker = &printing->waiter.waker;
    printing->source = (Source){ .spec = &spec, .context = &context };
    Error *error = spec.connector->source->open(&printing->source);
    if (!error)
        error = print_messages(printing);
    spec.connector->source->close(&printing->source);
    return error;
}

/* Names of streams are no names of topics: who mixes them up is told. */
Error *topic_print_check(Arena *arena, const ConnectorContext *connectors, const PlannedStatement *planned, const CatalogEntry *entry)
{
    TopicDescription topic;
    bool found;
    TRY(topic_describe(arena, connectors, planned->topics.options, planned->topics.name, &topic, &found));
    if (found)
        return NULL;
    Error *error = error_at(ERR_CONNECT, planned->topics.at, "there is no topic '%s'", planned->topics.name);
    const char *of = entry && entry->source && entry->source->connector ? connector_topic(entry->source->connector, entry->source->connector_options) : NULL;
    return of ? error_hint(error, "the topic of '%s' is '%s'", entry->name, of) : error_hint(error, "SHOW TOPICS lists them");
}

const Schema *topic_print_schema(void)
{
    static const Type text = { .kind = TYPE_VARCHAR };
    static Column column = { .name = "message", .type = &text };
    static const Schema schema = { 1, &column };
    return &schema;
}

static void release(void *what)
{
    Printing *printing = what;
    text_release(&printing->lines);
    text_release(&printing->line);
    text_release(&printing->key_formats);
    text_release(&printing->value_formats);
    waiter_release(&printing->waiter);
    record_schemas_free(printing->schemas);
    mem_free(printing->ended);
}

Error *topic_print(const TopicPrint *print)
{
    Printing printing = { .print = print };
    waiter_init(&printing.waiter);
    printing.schemas = record_schemas_new(print->registry);
    record_text_init(&printing.keys, true, printing.schemas);
    record_text_init(&printing.values, false, printing.schemas);
    MEMORY_HOLD(release, &printing);
    Error *error = print_topic(&printing);
    release(&printing);
    return error;
}

/* ---- in a session ---- */

typedef struct Shown {
    const Session *session;
    const SessionOutput *output;
} Shown;

static bool is_interrupted(void *caller) { return ((const Shown *)caller)->session->interrupted; }

static Error *show_lines(void *caller, const Batch *batch)
{
    const Shown *shown = caller;
    return shown->output->rows ? shown->output->rows(shown->output->caller, batch) : NULL;
}

Error *session_print(Session *session, Arena *arena, const PlannedStatement *planned, const SessionOutput *output)
{
    const ResultInfo info = { .schema = topic_print_schema(), .preformatted = true, .continuous = true };
    Shown shown = { session, output };
    TopicPrint print = { .planned = planned, .connectors = &session->connectors, .clock = session->options.clock, .ends = true, .stops = is_interrupted, .lines = show_lines, .caller = &shown };
    TRY(topic_print_check(arena, &session->connectors, planned, planner_entry(session->planner, planned->topics.name)));
    TRY(planner_registry(session->planner, arena, &print.registry));
    Error *error = output->begin ? output->begin(output->caller, &info) : NULL;
    if (error)
        return error;
    error = topic_print(&print);
    Error *ended = output->end ? output->end(output->caller) : NULL; /* messages before an error are results, too */
    if (!error)
        return ended;
    error_free(ended);
    return error;
}
