/* connectors/datagen.c: made-up rows for any declared columns.
 *
 * A value is a function of (seed, column name, row), so that any worker makes any rows and columns that nobody reads cost nothing.
 * Settings are written per column, as in Flink: 'fields.price.min' = '1'. A TIMESTAMP column counts time: start + row * row_interval,
 * minus up to max_past, which gives rows that come late. */
#include <string.h>

#include "common/calendar.h"
#include "common/decimal.h"
#include "common/hash.h"
#include "connectors/connectors_internal.h"
#include "connectors/random.h"
#include "connectors/row_pace.h"

#define LENGTH_DEFAULT 16
#define LENGTH_MAX 65536

typedef struct DatagenOptions {
    int64_t rows;
    double rows_per_second;
    int64_t seed;
    const char *start;
    int64_t row_interval_us;
    const char *fields;      /* lines "column.setting=value" */
} DatagenOptions;

typedef enum FieldKind { FIELD_RANDOM, FIELD_SEQUENCE, FIELD_TIME, FIELD_VALUES } FieldKind;

typedef struct Field {
    const char *name;        /* nested names joined by dots */
    const Type *type;
    FieldKind kind;
    uint64_t key;
    Int128 first, last;      /* random: smallest and largest; sequence: first and last */
    double low, high;        /* the same for DOUBLE and FLOAT */
    double null_rate;
    int64_t length;          /* of texts */
    int64_t start_us, interval_us, max_past_us;
    Value *values;
    uint32_t value_count;
    bool has_end;            /* a sequence with an end bounds the source */
} Field;

static const char *const setting_names[] = { "kind", "min", "max", "length", "start", "end", "null_rate", "values", "interval", "max_past" };
#define SETTING_COUNT (int)(sizeof setting_names / sizeof *setting_names)

/* ---- settings ---- */

typedef struct Setting {
    char *column, *name, *value;
} Setting;

/* Takes the next line apart; false at the end. The last dot divides column and setting. */
static bool next_setting(Arena *arena, const char **lines, Setting *setting)
{
    if (!*lines || !**lines)
        return false;
    const char *end = strchr(*lines, '\n');
    char *line = arena_strndup(arena, *lines, (size_t)(end - *lines));
    *lines = end + 1;
    setting->value = strchr(line, '=') + 1;
    setting->value[-1] = 0;
    char *dot = strrchr(line, '.');
    setting->column = dot ? line : arena_strdup(arena, "");
    setting->name = dot ? dot + 1 : line;
    if (dot)
        *dot = 0;
    return true;
}

/* The last value that was written for a column's setting; NULL: none. */
static const char *find_setting(Arena *arena, const DatagenOptions *options, const char *column, const char *name)
{
    const char *lines = options->fields, *found = NULL;
    Setting setting;
    while (next_setting(arena, &lines, &setting))
        if (name_equal(setting.column, column) && option_name_equal(setting.name, name))
            found = setting.value;
    return found;
}

static Error *bad_setting(const Field *field, const char *setting, const char *value)
{
    return error_new(ERR_BIND, "'fields.%s.%s' is no value of type %s: '%s'", field->name, setting, type_kind_name(field->type->kind), value);
}

static void default_range(const Type *type, Int128 *first, Int128 *last)
{
    *first = 0;
    switch (type->kind) {
    case TYPE_BOOLEAN: *last = 1; break;
    case TYPE_TINYINT: *first = INT8_MIN; *last = INT8_MAX; break;
    case TYPE_SMALLINT: *first = INT16_MIN; *last = INT16_MAX; break;
    case TYPE_INT: *first = INT32_MIN; *last = INT32_MAX; break;
    case TYPE_BIGINT: *first = INT64_MIN; *last = INT64_MAX; break;
    case TYPE_DECIMAL: *last = decimal_power(type->precision) - 1; break;
    case TYPE_DATE: *last = 36524; break; /* to 2069-12-31 */
    case TYPE_TIME: *last = US_PER_DAY - 1; break;
    default: *last = INT64_MAX; break; /* VARCHAR: the numbers of a sequence */
    }
}

/* A number, a date or a time, in the type's own unit. */
static bool parse_scaled(const Type *type, const char *text, Int128 *result)
{
    int64_t number = 0;
    size_t length = strlen(text);
    bool fits;
    if (type->kind == TYPE_DECIMAL)
        return decimal_parse(text, length, type->precision, type->scale, result);
    if (type->kind == TYPE_DATE)
        fits = date_parse(text, length, &number);
    else if (type->kind == TYPE_TIME)
        fits = time_parse(text, length, &number);
    else if (type_is_timestamp(type))
        fits = timestamp_parse(text, length, &number, NULL);
    else
        fits = int64_parse(text, length, &number);
    Int128 least, most;
    default_range(type, &least, &most);
    *result = number;
    return fits && (!type_is_integer(type) || (number >= least && number <= most));
}

static Error *parse_bound(Arena *arena, const DatagenOptions *options, const Field *field, const char *setting, Int128 *scaled, double *number)
{
    const char *text = find_setting(arena, options, field->name, setting);
    if (!text)
        return NULL;
    bool is_double = type_physical(field->type) == PHYSICAL_DOUBLE;
    if (is_double ? !double_parse(text, strlen(text), number) : !parse_scaled(field->type, text, scaled))
        return bad_setting(field, setting, text);
    return NULL;
}

static Error *parse_values(Arena *arena, Field *field, const char *text)
{
    struct { Value *items; int count, capacity; } values = { 0 };
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        char *item = arena_strndup(arena, at, length);
        Value value = { .type = field->type };
        Int128 scaled = 0;
        PhysicalType physical = type_physical(field->type);
        if (physical == PHYSICAL_STR)
            value.text = str_view(item, length);
        else if (physical == PHYSICAL_DOUBLE ? !double_parse(item, length, &value.number) : !parse_scaled(field->type, item, &scaled))
            return bad_setting(field, "values", item);
        else if (physical == PHYSICAL_INT128)
            value.decimal = scaled;
        else if (physical != PHYSICAL_DOUBLE)
            value.integer = (int64_t)scaled;
        LIST_ADD(arena, &values, value);
        at += length;
        if (!*at)
            break;
    }
    field->kind = FIELD_VALUES;
    field->values = values.items;
    field->value_count = (uint32_t)values.count;
    return NULL;
}

static Error *parse_kind(Arena *arena, const DatagenOptions *options, Field *field)
{
    static const char *const kinds[] = { "random", "sequence" };
    const char *kind = find_setting(arena, options, field->name, "kind");
    if (kind && !name_equal(kind, "random") && !name_equal(kind, "sequence"))
        return error_suggest(error_new(ERR_BIND, "'fields.%s.kind' must be 'random' or 'sequence', not '%s'", field->name, kind), kind, kinds, 2);
    bool ranged = find_setting(arena, options, field->name, "min") || find_setting(arena, options, field->name, "max");
    if (type_is_timestamp(field->type) && !(kind && name_equal(kind, "random")) && !ranged)
        field->kind = FIELD_TIME;
    else
        field->kind = kind && name_equal(kind, "sequence") ? FIELD_SEQUENCE : FIELD_RANDOM;
    return NULL;
}

static Error *parse_duration_setting(Arena *arena, const DatagenOptions *options, const Field *field, const char *setting, int64_t *us)
{
    const char *text = find_setting(arena, options, field->name, setting);
    if (text && (!duration_parse(text, us) || *us < 0))
        return error_new(ERR_BIND, "'fields.%s.%s' wants a duration such as '10 s', not '%s'", field->name, setting, text);
    return NULL;
}

static Error *parse_time(Arena *arena, const DatagenOptions *options, Field *field)
{
    const char *start = find_setting(arena, options, field->name, "start");
    const char *text = start ? start : options->start;
    if (!timestamp_parse(text, strlen(text), &field->start_us, NULL))
        return start ? bad_setting(field, "start", text) : error_new(ERR_BIND, "'start' wants a timestamp such as '2026-01-01 00:00:00', not '%s'", text);
    field->interval_us = options->row_interval_us;
    TRY(parse_duration_setting(arena, options, field, "interval", &field->interval_us));
    return parse_duration_setting(arena, options, field, "max_past", &field->max_past_us);
}

static Error *parse_range(Arena *arena, const DatagenOptions *options, Field *field)
{
    bool sequence = field->kind == FIELD_SEQUENCE;
    default_range(field->type, &field->first, &field->last);
    field->high = sequence ? 1e15 : 1;
    if (sequence && field->type->kind != TYPE_BOOLEAN)
        field->first = 0;
    Type number = *type_scalar(TYPE_BIGINT);
    Field counted = *field; /* the numbers behind texts */
    if (type_physical(field->type) == PHYSICAL_STR)
        counted.type = &number;
    TRY(parse_bound(arena, options, &counted, sequence ? "start" : "min", &field->first, &field->low));
    TRY(parse_bound(arena, options, &counted, sequence ? "end" : "max", &field->last, &field->high));
    field->has_end = sequence && find_setting(arena, options, field->name, "end");
    if (type_physical(field->type) == PHYSICAL_DOUBLE ? field->low > field->high : field->first > field->last)
        return error_new(ERR_BIND, "'fields.%s': the %s is above the %s", field->name, sequence ? "start" : "min", sequence ? "end" : "max");
    return NULL;
}

/* Everything about one column. */
static Error *field_parse(Arena *arena, const DatagenOptions *options, const char *name, const Type *type, Field *field)
{
    *field = (Field){ .name = name, .type = type, .length = type->length && type->length < LENGTH_DEFAULT ? type->length : LENGTH_DEFAULT };
    field->key = random_mix(random_key((uint64_t)options->seed) ^ checksum_bytes(name, strlen(name)));
    if (type_is_nested(type) || type->kind == TYPE_INTERVAL || type->kind == TYPE_NULL)
        return error_new(ERR_UNSUPPORTED, "datagen makes no values of type %s (column '%s')", type_kind_name(type->kind), name);
    TRY(parse_kind(arena, options, field));
    const char *text = find_setting(arena, options, name, "length");
    if (text && (!int64_parse(text, strlen(text), &field->length) || field->length < 0 || field->length > LENGTH_MAX))
        return error_new(ERR_BIND, "'fields.%s.length' must be from 0 to %d, not '%s'", name, LENGTH_MAX, text);
    text = find_setting(arena, options, name, "null_rate");
    if (text && (!double_parse(text, strlen(text), &field->null_rate) || !(field->null_rate >= 0 && field->null_rate <= 1)))
        return error_new(ERR_BIND, "'fields.%s.null_rate' must be from 0 to 1, not '%s'", name, text);
    text = find_setting(arena, options, name, "values");
    if (text)
        return parse_values(arena, field, text);
    return field->kind == FIELD_TIME ? parse_time(arena, options, field) : parse_range(arena, options, field);
}

/* ---- checking against the declared columns ---- */

static const Type *declared_type(Arena *arena, const Schema *declared, const char *path)
{
    const char *dot = strchr(path, '.');
    int column = schema_find(declared, dot ? arena_strndup(arena, path, (size_t)(dot - path)) : path);
    const Type *type = column >= 0 ? declared->columns[column].type : NULL;
    while (type && dot) {
        path = dot + 1;
        dot = strchr(path, '.');
        int field = type->kind == TYPE_STRUCT ? type_field(type, dot ? arena_strndup(arena, path, (size_t)(dot - path)) : path) : -1;
        type = field >= 0 ? type->children[field] : NULL;
    }
    return type;
}

static Error *check_setting(Arena *arena, const Setting *setting, const DatagenOptions *options, const Schema *declared)
{
    const Type *type = declared_type(arena, declared, setting->column);
    if (!type) {
        const char **names = ARENA_ARRAY(arena, const char *, (size_t)declared->column_count + 1);
        for (int c = 0; c < declared->column_count; c++)
            names[c] = declared->columns[c].name;
        return error_suggest(error_new(ERR_BIND, "'fields.%s.%s': no column '%s'", setting->column, setting->name, setting->column), setting->column, names, declared->column_count);
    }
    for (int i = 0; i < SETTING_COUNT; i++)
        if (option_name_equal(setting_names[i], setting->name)) {
            Field field;
            return field_parse(arena, options, setting->column, type, &field);
        }
    return error_suggest(error_new(ERR_BIND, "'fields.%s.%s': a column has no setting '%s'", setting->column, setting->name, setting->name), setting->name,
                         setting_names, SETTING_COUNT);
}

static Error *datagen_check(const void *options, const Schema *declared)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    const char *lines = ((const DatagenOptions *)options)->fields;
    Setting setting;
    Error *error = NULL;
    while (!error && next_setting(&arena, &lines, &setting))
        error = check_setting(&arena, &setting, options, declared);
    arena_release(&arena);
    return error;
}

/* Rows in all: `rows`, or where the first sequence with an end ends, read by somebody or not; -1: no end. */
static int64_t row_limit(const DatagenOptions *options)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    int64_t limit = options->rows;
    const char *lines = options->fields;
    Setting setting;
    while (next_setting(&arena, &lines, &setting)) {
        const char *kind = find_setting(&arena, options, setting.column, "kind"), *first = find_setting(&arena, options, setting.column, "start");
        int64_t start = 0, end;
        if (!option_name_equal(setting.name, "end") || !kind || !name_equal(kind, "sequence") || !int64_parse(setting.value, strlen(setting.value), &end)
            || (first && !int64_parse(first, strlen(first), &start)) || end < start)
            continue;
        int64_t count = end - start == INT64_MAX ? INT64_MAX : end - start + 1;
        limit = limit < 0 || count < limit ? count : limit;
    }
    arena_release(&arena);
    return limit;
}

static bool datagen_bounded(const void *options) { return row_limit(options) >= 0; }

/* ---- rows ---- */

typedef struct DatagenState {
    Arena arena;
    Field *fields;
    RowPace pace;
    SourceSplit split;
} DatagenState;

static const char *joined_path(Arena *arena, const SourceColumn *column)
{
    const char *name = column->path[0];
    for (int i = 1; i < column->path_length; i++)
        name = arena_printf(arena, "%s.%s", name, column->path[i]);
    return name;
}

static Error *datagen_open(Source *source)
{
    const DatagenOptions *options = source->spec->options;
    DatagenState *state = mem_calloc(1, sizeof *state);
    source->state = state;
    arena_init(&state->arena, source->context->pool);
    state->fields = ARENA_ARRAY(&state->arena, Field, (size_t)source->spec->column_count + 1);
    for (int i = 0; i < source->spec->column_count; i++) {
        const SourceColumn *column = &source->spec->columns[i];
        TRY(field_parse(&state->arena, options, joined_path(&state->arena, column), column->type, &state->fields[i]));
    }
    int64_t limit = row_limit(options);
    state->pace = (RowPace){ .row_limit = limit, .rows_per_second = options->rows_per_second };
    state->split = (SourceSplit){ .name = "datagen-0", .length = limit, .bounded = limit >= 0 };
    source->splits = &state->split;
    source->split_count = 1;
    return NULL;
}

static void datagen_close(Source *source)
{
    DatagenState *state = source->state;
    if (!state)
        return;
    arena_release(&state->arena);
    mem_free(state);
    source->state = NULL;
}

/* Two numbers a row: one for the value, one for being NULL. */
static uint64_t value_draw(const Field *field, uint64_t row) { return random_at(field->key, row * 2); }

/* The number of a random or counted value of integer form. */
static Int128 number_at(const Field *field, uint64_t row)
{
    unsigned __int128 span = (unsigned __int128)(field->last - field->first) + 1;
    if (span >> 64 == 0)
        return field->first + (Int128)(field->kind == FIELD_SEQUENCE ? row % (uint64_t)span : random_below(value_draw(field, row), (uint64_t)span));
    unsigned __int128 offset = row;
    if (field->kind == FIELD_RANDOM) {
        uint64_t high = value_draw(field, row);
        offset = (((unsigned __int128)high << 64) | random_mix(high)) % span;
    }
    return field->first + (Int128)offset;
}

static int64_t integer_at(const Field *field, uint64_t row)
{
    if (field->kind == FIELD_VALUES)
        return field->values[random_below(value_draw(field, row), field->value_count)].integer;
    if (field->kind == FIELD_RANDOM || field->kind == FIELD_SEQUENCE)
        return (int64_t)number_at(field, row);
    int64_t past = field->max_past_us ? (int64_t)random_below(value_draw(field, row), (uint64_t)field->max_past_us) : 0;
    return field->start_us + (int64_t)row * field->interval_us - past;
}

static double double_at(const Field *field, uint64_t row)
{
    double number = field->kind == FIELD_VALUES ? field->values[random_below(value_draw(field, row), field->value_count)].number
                    : field->kind == FIELD_SEQUENCE ? field->low + (double)row
                                                    : field->low + random_unit(value_draw(field, row)) * (field->high - field->low);
    return field->type->kind == TYPE_FLOAT ? (double)(float)number : number;
}

static Str text_at(Arena *arena, const Field *field, uint64_t row)
{
    char digits[24];
    if (field->kind == FIELD_VALUES) {
        Str text = field->values[random_below(value_draw(field, row), field->value_count)].text;
        return text.length <= STR_INLINE ? text : str_view(arena_copy(arena, text.pointer, text.length), text.length);
    }
    if (field->kind == FIELD_SEQUENCE) {
        size_t length = int64_format((int64_t)number_at(field, row), digits);
        return str_view(length <= STR_INLINE ? digits : arena_copy(arena, digits, length), length);
    }
    size_t length = (size_t)field->length;
    char small[STR_INLINE], *out = length <= STR_INLINE ? small : arena_alloc(arena, length);
    bool letters = field->type->kind == TYPE_VARCHAR;
    uint64_t state = value_draw(field, row), bits = 0;
    for (size_t i = 0; i < length; i++) {
        if (i % 8 == 0)
            bits = random_mix(state += RANDOM_STEP);
        out[i] = letters ? (char)('a' + (bits & 0xff) * 26 / 256) : (char)bits;
        bits >>= 8;
    }
    return str_view(out, length);
}

#define FILL_LOOP(ctype, value)                                         \
    for (uint32_t i = 0; i < count; i++) {                              \
        uint64_t row = first + i;                                       \
        ((ctype *)vector->values)[i] = (ctype)(value);                  \
    }                                                                   \
    break

static void fill_field(const Field *field, uint64_t first, uint32_t count, Vector *vector, Arena *arena)
{
    switch (type_physical(field->type)) {
    case PHYSICAL_BOOL: FILL_LOOP(uint8_t, integer_at(field, row) & 1);
    case PHYSICAL_INT64: FILL_LOOP(int64_t, integer_at(field, row));
    case PHYSICAL_DOUBLE: FILL_LOOP(double, double_at(field, row));
    case PHYSICAL_INT128: FILL_LOOP(Int128, field->kind == FIELD_VALUES ? field->values[random_below(value_draw(field, row), field->value_count)].decimal : number_at(field, row));
    case PHYSICAL_STR:
        for (uint32_t i = 0; i < count; i++)
            ((Str *)vector->values)[i] = text_at(arena, field, first + i);
        break;
    case PHYSICAL_INTERVAL:
    case PHYSICAL_ARRAY:
    case PHYSICAL_STRUCT: break; /* refused by open */
    }
    if (field->null_rate == 0)
        return;
    size_t width = type_width(field->type);
    for (uint32_t i = 0; i < count; i++)
        if (random_unit(random_at(field->key, (first + i) * 2 + 1)) < field->null_rate) {
            vector_set_null(arena, vector, i);
            memset((char *)vector->values + i * width, 0, width);
        }
}

static Error *datagen_seek(Source *source, int split, uint64_t position)
{
    (void)split;
    row_pace_seek(&((DatagenState *)source->state)->pace, position);
    return NULL;
}

static Error *datagen_next_rows(Source *source, int split, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    (void)split;
    row_pace_next(&((DatagenState *)source->state)->pace, max_rows, now_us, range);
    return NULL;
}

static Error *datagen_produce(Source *source, int split, const RowRange *range, uint64_t done, uint32_t max_rows, Batch *batch)
{
    (void)split;
    const DatagenState *state = source->state;
    uint64_t left = range->count - done;
    uint32_t count = left < max_rows ? (uint32_t)left : max_rows;
    for (int i = 0; i < source->spec->column_count; i++)
        fill_field(&state->fields[i], range->first + done, count, batch->columns[i], &batch->arena);
    batch->row_count = count;
    batch->selection = (Selection){ count, NULL };
    return NULL;
}

static int64_t datagen_progress(Source *source, int split)
{
    (void)split;
    return (int64_t)((DatagenState *)source->state)->pace.position;
}

static const SourceType datagen_source = {
    .row_source = true,
    .open = datagen_open,
    .close = datagen_close,
    .bounded = datagen_bounded,
    .seek = datagen_seek,
    .next_rows = datagen_next_rows,
    .produce = datagen_produce,
    .progress = datagen_progress,
};

static const OptionSpec datagen_options[] = {
    { "rows", OPTION_INT, offsetof(DatagenOptions, rows), "-1", "Stop after this many rows; -1 never stops.", .minimum = -1, .maximum = INT64_MAX / 4,
      .aliases = (const char *const[]){ "number_of_rows", NULL } },
    { "rows_per_second", OPTION_DOUBLE, offsetof(DatagenOptions, rows_per_second), "0", "Rows a second of the clock; 0 is as fast as they are taken.", .maximum = 1000000000 },
    { "seed", OPTION_INT, offsetof(DatagenOptions, seed), "0", "Another seed, other rows.", .required = false },
    { "start", OPTION_STRING, offsetof(DatagenOptions, start), "2026-01-01 00:00:00", "What TIMESTAMP columns count from.", .required = false },
    { "row_interval", OPTION_DURATION, offsetof(DatagenOptions, row_interval_us), "1 s", "Time between two rows in TIMESTAMP columns.", .required = false },
    { "fields.*", OPTION_STRING, offsetof(DatagenOptions, fields), NULL,
      "Settings of a column: 'fields.NAME.kind' random or sequence; min, max; start, end; length; values 'a,b,c'; null_rate; interval and max_past of times.", .required = false },
    { 0 }
};

const ConnectorType datagen_connector = {
    .name = "datagen",
    .doc = "Made-up rows for the declared columns, the same for the same seed.",
    .options = datagen_options,
    .options_size = sizeof(DatagenOptions),
    .source = &datagen_source,
    .check = datagen_check,
};
