/* common/timestamp_pattern.c: timestamps by a Java-like pattern.
 *
 * A pattern is compiled to a list of items; reading and writing walk it. As in Java an optional section is taken when it fits, and
 * nothing is tried again. */
#include "common/timestamp_pattern.h"
#include <string.h>
#include "common/calendar.h"
#include "common/decimal.h"
#include "common/str.h"
#include "common/timezone.h"

typedef struct Item {
    char letter;         /* 0: text; '[': a section of the next `count` items */
    int count;           /* letters in a row, bytes of text, items of a section */
    const char *text;
} Item;

struct TimestampPattern {
    TimestampPatternKind kind;
    Item *items;
    int item_count;
};

typedef struct Fields {
    int64_t year;
    int month, day, day_of_year, hour, half_hour, minute, second, us; /* half_hour: 0-11, -1 none */
    int afternoon;                                                    /* -1 none */
    int64_t offset_us;
    bool has_offset;
    const TimeZone *zone;                                             /* named in the text */
} Fields;

static const char *const month_names[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December" };
static const char *const day_names[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };

/* ---- compiling ---- */

typedef struct ItemList {
    Item *items;
    int count, capacity;
} ItemList;

static Error *compile(Arena *arena, const char *text, ItemList *list)
{
    int open[16], depth = 0;
    for (const char *p = text; *p;) {
        if (*p == '[' || *p == ']') {
            if (*p == '[' ? depth == 16 : depth == 0)
                return error_new(ERR_BIND, *p == '[' ? "too many '[' in the timestamp format '%s'" : "']' without '[' in the timestamp format '%s'", text);
            if (*p == '[') {
                open[depth++] = list->count;
                LIST_ADD(arena, list, ((Item){ '[', 0, NULL }));
            } else {
                depth--;
                list->items[open[depth]].count = list->count - open[depth] - 1;
            }
            p++;
        } else if (*p == '\'') {
            Text quoted = { NULL, 0, 0 };
            MEMORY_HOLD(text_unwind, &quoted);
            const char *start = ++p;
            bool ended = false;
            if (*p == '\'') {
                text_add_char(&quoted, '\'');
                p++;
                ended = true;
            }
            while (!ended && *p) {
                if (*p == '\'' && p[1] == '\'') {
                    text_add_char(&quoted, '\'');
                    p += 2;
                } else if (*p == '\'') {
                    p++;
                    ended = true;
                } else {
                    text_add_char(&quoted, *p++);
                }
            }
            Item item = { 0, (int)quoted.length, arena_strndup(arena, text_c(&quoted), quoted.length) };
            text_release(&quoted);
            if (!ended)
                return error_new(ERR_BIND, "a quote does not end in the timestamp format '%s': '%s", text, start);
            LIST_ADD(arena, list, item);
        } else if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')) {
            int count = 1;
            while (p[count] == *p)
                count++;
            if (!strchr("yuMLdDHkKhamsSnEXxZzVO", *p))
                return error_hint(error_new(ERR_BIND, "unknown letter '%c' in the timestamp format '%s'", *p, text), "letters that stand for themselves go between quotes: 'T'");
            if (*p == 'S' && count > 9)
                return error_new(ERR_BIND, "more than 9 digits of fraction in the timestamp format '%s'", text);
            LIST_ADD(arena, list, ((Item){ *p, count, NULL }));
            p += count;
        } else {
            LIST_ADD(arena, list, ((Item){ 0, 1, arena_strndup(arena, p, 1) }));
            p++;
        }
    }
    if (depth)
        return error_new(ERR_BIND, "'[' without ']' in the timestamp format '%s'", text);
    return NULL;
}

Error *timestamp_pattern_new(Arena *arena, const char *text, const TimestampPattern **pattern)
{
    static const struct {
        const char *name;
        TimestampPatternKind kind;
    } words[] = { { "epoch_s", PATTERN_EPOCH_S },   { "epoch", PATTERN_EPOCH_S },   { "epoch_seconds", PATTERN_EPOCH_S }, { "epoch_ms", PATTERN_EPOCH_MS },
                  { "epoch_millis", PATTERN_EPOCH_MS }, { "epoch_us", PATTERN_EPOCH_US }, { "epoch_micros", PATTERN_EPOCH_US },  { "iso", PATTERN_ISO },
                  { "iso_8601", PATTERN_ISO },      { "iso-8601", PATTERN_ISO },    { "sql", PATTERN_ISO } };
    TimestampPattern *made = ARENA_NEW(arena, TimestampPattern);
    *pattern = made;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (name_equal(words[i].name, text)) {
            made->kind = words[i].kind;
            return NULL;
        }
    ItemList list = { NULL, 0, 0 };
    TRY(compile(arena, text, &list));
    if (list.count == 0)
        return error_new(ERR_BIND, "the timestamp format is empty");
    made->items = list.items;
    made->item_count = list.count;
    return NULL;
}

TimestampPatternKind timestamp_pattern_kind(const TimestampPattern *pattern) { return pattern->kind; }

/* ---- reading ---- */

/* From `minimum` to `maximum` digits; the place after them, or NULL. */
static const char *read_digits(const char *p, const char *end, int minimum, int maximum, int *number)
{
    int count = 0;
    *number = 0;
    for (; count < maximum && p < end && *p >= '0' && *p <= '9'; count++)
        *number = *number * 10 + (*p++ - '0');
    return count >= minimum ? p : NULL;
}

static const char *read_name(const char *p, const char *end, const char *const names[], int name_count, bool full, int *index)
{
    for (int i = 0; i < name_count; i++) {
        size_t length = full ? strlen(names[i]) : 3;
        if ((size_t)(end - p) < length)
            continue;
        size_t same = 0;
        while (same < length && (p[same] | 0x20) == (names[i][same] | 0x20))
            same++;
        if (same == length) {
            *index = i;
            return p + length;
        }
    }
    return NULL;
}

/* Z, UTC, GMT, +HH, +HHMM, +HH:MM, UTC+HH.. */
static const char *read_offset(const char *p, const char *end, char letter, int64_t *offset_us)
{
    static const char *const names[] = { "UTC", "GMT" };
    int index, hours, minutes = 0;
    *offset_us = 0;
    if (p < end && (*p == 'Z' || *p == 'z') && letter != 'x')
        return p + 1;
    if (strchr("zVO", letter)) {
        const char *after = read_name(p, end, names, 2, true, &index);
        if (after && (after == end || (*after != '+' && *after != '-')))
            return after;
        p = after ? after : p;
    }
    if (p == end || (*p != '+' && *p != '-'))
        return NULL;
    bool west = *p++ == '-';
    const char *start = p;
    p = read_digits(p, end, 1, 2, &hours);
    if (!p)
        return NULL;
    bool colon = p < end && *p == ':';
    if (p - start == 2 || colon) {
        const char *after = read_digits(p + colon, end, 2, 2, &minutes);
        if (!after && colon)
            return NULL;
        p = after ? after : p;
        minutes = after ? minutes : 0;
    }
    if (hours > 18 || minutes > 59)
        return NULL;
    *offset_us = (hours * US_PER_HOUR + minutes * US_PER_MINUTE) * (west ? -1 : 1);
    return p;
}

/* A zone by its name: Europe/Berlin, CEST. */
static const char *read_zone_name(const char *p, const char *end, const TimeZone **zone)
{
    const char *start = p;
    while (p < end && ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || (p > start && strchr("/_+-", *p))))
        p++;
    size_t length = (size_t)(p - start);
    *zone = length ? timezone_abbreviated(start, length) : NULL;
    if (!*zone && length)
        *zone = timezone_lookup(start, length);
    return *zone ? p : NULL;
}

static const char *read_zone(const Item *item, const char *p, const char *end, Fields *fields)
{
    const char *after = read_offset(p, end, item->letter, &fields->offset_us);
    if (!after && (item->letter == 'z' || item->letter == 'V'))
        return read_zone_name(p, end, &fields->zone);
    fields->has_offset = after != NULL;
    return after;
}

static const char *read_year(const Item *item, const char *p, const char *end, int64_t *year)
{
    int number;
    bool negative = item->letter == 'u' && p < end && *p == '-';
    const char *after = item->count == 2 ? read_digits(p, end, 2, 2, &number)
                                         : read_digits(p + negative, end, item->count == 1 ? 1 : 4, item->count == 1 ? 9 : item->count > 9 ? 9 : item->count, &number);
    *year = item->count == 2 ? 2000 + number : negative ? -(int64_t)number : number;
    return after;
}

static const char *read_item(const Item *item, const char *p, const char *end, Fields *fields)
{
    static const int powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };
    int number = 0, minimum = item->count > 1 ? 2 : 1;
    switch (item->letter) {
    case 0: return (size_t)(end - p) >= (size_t)item->count && memcmp(p, item->text, (size_t)item->count) == 0 ? p + item->count : NULL;
    case 'y': case 'u': return read_year(item, p, end, &fields->year);
    case 'M': case 'L':
        if (item->count >= 3) {
            p = read_name(p, end, month_names, 12, item->count > 3, &number);
            number++;
        } else {
            p = read_digits(p, end, minimum, 2, &number);
        }
        fields->month = number;
        return number >= 1 && number <= 12 ? p : NULL;
    case 'd': p = read_digits(p, end, minimum, 2, &fields->day); return fields->day >= 1 ? p : NULL;
    case 'D': p = read_digits(p, end, item->count, 3, &fields->day_of_year); return fields->day_of_year >= 1 ? p : NULL;
    case 'H': p = read_digits(p, end, minimum, 2, &fields->hour); return fields->hour < 24 ? p : NULL;
    case 'k':
        p = read_digits(p, end, minimum, 2, &number);
        fields->hour = number % 24;
        return number >= 1 && number <= 24 ? p : NULL;
    case 'K': p = read_digits(p, end, minimum, 2, &fields->half_hour); return fields->half_hour < 12 ? p : NULL;
    case 'h':
        p = read_digits(p, end, minimum, 2, &number);
        fields->half_hour = number % 12;
        return number >= 1 && number <= 12 ? p : NULL;
    case 'a': {
        static const char *const halves[] = { "AM", "PM" };
        return read_name(p, end, halves, 2, true, &fields->afternoon);
    }
    case 'm': p = read_digits(p, end, minimum, 2, &fields->minute); return fields->minute < 60 ? p : NULL;
    case 's': p = read_digits(p, end, minimum, 2, &fields->second); return fields->second < 60 ? p : NULL;
    case 'S':
        p = read_digits(p, end, item->count, item->count, &number);
        fields->us = item->count <= 6 ? number * powers[6 - item->count] : number / powers[item->count - 6];
        return p;
    case 'n':
        p = read_digits(p, end, 1, 9, &number);
        fields->us = number / 1000;
        return p;
    case 'E': return read_name(p, end, day_names, 7, item->count > 3, &number);
    default: return read_zone(item, p, end, fields);
    }
}

static const char *read_items(const Item *items, int count, const char *p, const char *end, Fields *fields)
{
    for (int i = 0; i < count; i++) {
        if (items[i].letter == '[') {
            Fields before = *fields;
            const char *after = read_items(&items[i + 1], items[i].count, p, end, fields);
            if (after)
                p = after;
            else
                *fields = before;
            i += items[i].count;
            continue;
        }
        p = read_item(&items[i], p, end, fields);
        if (!p)
            return NULL;
    }
    return p;
}

bool timestamp_epoch_parse(TimestampPatternKind kind, const char *bytes, size_t length, int64_t *timestamp_us)
{
    Int128 number;
    int scale = kind == PATTERN_EPOCH_S ? 6 : kind == PATTERN_EPOCH_MS ? 3 : 0;
    if (!decimal_parse(bytes, length, DECIMAL_MAX_PRECISION, scale, &number) || number > INT64_MAX || number < INT64_MIN)
        return false;
    *timestamp_us = (int64_t)number;
    return true;
}

bool timestamp_pattern_parse(const TimestampPattern *pattern, const char *bytes, size_t length, int64_t *timestamp_us)
{
    return timestamp_pattern_parse_in(pattern, NULL, bytes, length, timestamp_us);
}

bool timestamp_pattern_parse_in(const TimestampPattern *pattern, const TimeZone *zone, const char *bytes, size_t length, int64_t *timestamp_us)
{
    if (pattern->kind == PATTERN_ISO) {
        bool zoned;
        if (!timestamp_parse(bytes, length, timestamp_us, &zoned))
            return false;
        if (zone && !zoned)
            *timestamp_us = timezone_utc(zone, *timestamp_us);
        return true;
    }
    if (pattern->kind != PATTERN_TEXT)
        return timestamp_epoch_parse(pattern->kind, bytes, length, timestamp_us);
    Fields fields = { .year = 1970, .month = 1, .day = 1, .half_hour = -1, .afternoon = -1 };
    const char *end = bytes + length;
    if (read_items(pattern->items, pattern->item_count, bytes, end, &fields) != end)
        return false;
    if (fields.half_hour >= 0)
        fields.hour = fields.half_hour + (fields.afternoon == 1 ? 12 : 0);
    int64_t days;
    if (fields.day_of_year) {
        int in_year = days_in_month(fields.year, 2) == 29 ? 366 : 365;
        if (fields.day_of_year > in_year)
            return false;
        days = days_from_civil(fields.year, 1, 1) + fields.day_of_year - 1;
    } else {
        if (fields.day > days_in_month(fields.year, fields.month))
            return false;
        days = days_from_civil(fields.year, fields.month, fields.day);
    }
    int64_t date_us;
    if (__builtin_mul_overflow(days, US_PER_DAY, &date_us))
        return false;
    int64_t clock_us = fields.hour * US_PER_HOUR + fields.minute * US_PER_MINUTE + fields.second * US_PER_SECOND + fields.us - fields.offset_us;
    if (__builtin_add_overflow(date_us, clock_us, timestamp_us))
        return false;
    const TimeZone *local = fields.zone ? fields.zone : fields.has_offset ? NULL : zone;
    if (local)
        *timestamp_us = timezone_utc(local, *timestamp_us);
    return true;
}

/* ---- writing ---- */

typedef struct Writer {
    char *out;
    size_t length;
} Writer;

static void put(Writer *writer, const char *text, size_t length)
{
    if (length > TIMESTAMP_PATTERN_TEXT - writer->length)
        length = TIMESTAMP_PATTERN_TEXT - writer->length;
    memcpy(writer->out + writer->length, text, length);
    writer->length += length;
}

static void put_number(Writer *writer, int64_t number, int width)
{
    char digits[24];
    size_t length = int64_format(number < 0 ? -number : number, digits);
    if (number < 0)
        put(writer, "-", 1);
    for (size_t i = length; i < (size_t)width; i++)
        put(writer, "0", 1);
    put(writer, digits, length);
}

/* [+-]HH[[:]MM] */
static void put_offset(Writer *writer, int64_t offset_us, bool colon, bool short_hours, bool always_minutes)
{
    int64_t minutes = (offset_us < 0 ? -offset_us : offset_us) / US_PER_MINUTE;
    put(writer, offset_us < 0 ? "-" : "+", 1);
    put_number(writer, minutes / 60, short_hours ? 1 : 2);
    if (minutes % 60 == 0 && !always_minutes)
        return;
    if (colon)
        put(writer, ":", 1);
    put_number(writer, minutes % 60, 2);
}

static void put_zone(Writer *writer, const Item *item, const TimeZone *zone, const ZoneSpan *span)
{
    int width = item->count;
    int64_t offset_us = zone ? span->offset_us : 0;
    const char *name = zone ? item->letter == 'V' ? timezone_name(zone) : span->abbreviation : "UTC";
    switch (item->letter) {
    case 'X':
        if (offset_us == 0) {
            put(writer, "Z", 1);
            break;
        } /* fall through */
    case 'x': put_offset(writer, offset_us, width == 3 || width == 5, false, width > 1); break;
    case 'Z':
        if (width == 5 && offset_us == 0)
            put(writer, "Z", 1);
        else if (width == 4)
            put(writer, "GMT", 3);
        if (width < 4 || offset_us != 0)
            put_offset(writer, offset_us, width >= 4, false, true);
        break;
    case 'O':
        put(writer, zone ? "GMT" : "UTC", 3);
        if (offset_us != 0)
            put_offset(writer, offset_us, true, width == 1, width > 1);
        break;
    default: put(writer, name, strlen(name)); break;
    }
}

static void put_item(Writer *writer, const Item *item, const CivilTime *time, int64_t days)
{
    int width = item->count;
    switch (item->letter) {
    case 0: put(writer, item->text, (size_t)item->count); break;
    case 'y': case 'u': put_number(writer, width == 2 ? floor_mod(time->year, 100) : time->year, width); break;
    case 'M': case 'L':
        if (width >= 3)
            put(writer, month_names[time->month - 1], width == 3 ? 3 : strlen(month_names[time->month - 1]));
        else
            put_number(writer, time->month, width);
        break;
    case 'd': put_number(writer, time->day, width); break;
    case 'D': put_number(writer, days - days_from_civil(time->year, 1, 1) + 1, width); break;
    case 'H': put_number(writer, time->hour, width); break;
    case 'k': put_number(writer, time->hour ? time->hour : 24, width); break;
    case 'K': put_number(writer, time->hour % 12, width); break;
    case 'h': put_number(writer, time->hour % 12 ? time->hour % 12 : 12, width); break;
    case 'a': put(writer, time->hour < 12 ? "AM" : "PM", 2); break;
    case 'm': put_number(writer, time->minute, width); break;
    case 's': put_number(writer, time->second, width); break;
    case 'S': {
        char digits[9] = { '0' + time->us / 100000, '0' + time->us / 10000 % 10, '0' + time->us / 1000 % 10, '0' + time->us / 100 % 10, '0' + time->us / 10 % 10, '0' + time->us % 10, '0', '0', '0' };
        put(writer, digits, (size_t)width);
        break;
    }
    case 'n': put_number(writer, (int64_t)time->us * 1000, width); break;
    case 'E': {
        const char *name = day_names[floor_mod(days + 4, 7)];
        put(writer, name, width > 3 ? strlen(name) : 3);
        break;
    }
    default: break; /* put_zone */
    }
}

size_t timestamp_pattern_format(const TimestampPattern *pattern, int64_t timestamp_us, char out[TIMESTAMP_PATTERN_TEXT])
{
    return timestamp_pattern_format_in(pattern, NULL, timestamp_us, out);
}

size_t timestamp_pattern_format_in(const TimestampPattern *pattern, const TimeZone *zone, int64_t timestamp_us, char out[TIMESTAMP_PATTERN_TEXT])
{
    switch (pattern->kind) {
    case PATTERN_EPOCH_S: return int64_format(floor_div(timestamp_us, US_PER_SECOND), out);
    case PATTERN_EPOCH_MS: return int64_format(floor_div(timestamp_us, US_PER_MS), out);
    case PATTERN_EPOCH_US: return int64_format(timestamp_us, out);
    case PATTERN_ISO: return timestamp_format_iso(timestamp_us, 3, out);
    case PATTERN_TEXT: break;
    }
    Writer writer = { out, 0 };
    ZoneSpan span = zone ? timezone_span(zone, timestamp_us) : (ZoneSpan){ 0 };
    int64_t local_us = time_add(timestamp_us, span.offset_us);
    CivilTime time = civil_from_us(local_us);
    int64_t days = floor_div(local_us, US_PER_DAY);
    for (int i = 0; i < pattern->item_count; i++) {
        const Item *item = &pattern->items[i];
        if (item->letter && strchr("XxZzVO", item->letter))
            put_zone(&writer, item, zone, &span);
        else if (item->letter != '[')
            put_item(&writer, item, &time, days);
    }
    return writer.length;
}
