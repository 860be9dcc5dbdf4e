/* common/timezone.c: see timezone.h.
 *
 * The files are TZif (RFC 8536), version 2 and up: a first block with 32-bit times, which is skipped, one with 64-bit times, and a
 * line with the rule for later years. Rules are written out for 400 years, after which the calendar repeats itself. */
#include "common/timezone.h"
#include <pthread.h>
#include <string.h>
#include "common/calendar.h"
#include "common/filesystem.h"
#include "common/posix_tz.h"
#include "common/str.h"

#define ZONEINFO "/usr/share/zoneinfo/"
#define CYCLE_US (146097 * US_PER_DAY) /* 400 years */

typedef struct Change {
    int64_t at_us;        /* from here on, in UTC */
    int32_t kind;         /* of `kinds` */
} Change;

typedef struct ZoneKind {
    int64_t offset_us;
    char abbreviation[12];
} ZoneKind;

struct TimeZone {
    TimeZone *next;       /* of all that were read */
    const char *name;
    int change_count, kind_count;
    Change *changes;      /* ascending; before the first one `kinds[first]` holds */
    ZoneKind *kinds;
    int first;
    int64_t repeats_us;   /* times from here on are looked up 400 years earlier, again and again; INT64_MAX: no rule */
};

/* ---- reading ---- */

typedef struct Draft { /* of a zone, while it is read */
    Arena *arena;
    struct { Change *items; int count, capacity; } changes;
    struct { ZoneKind *items; int count, capacity; } kinds;
    int first;
    int64_t repeats_us;
} Draft;

static int64_t big_endian(const uint8_t *at, int bytes)
{
    uint64_t value = at[0] & 0x80 ? ~0ull : 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

static int draft_kind(Draft *draft, int64_t offset_us, const char *abbreviation, size_t length)
{
    ZoneKind kind = { .offset_us = offset_us };
    memcpy(kind.abbreviation, abbreviation, length < sizeof kind.abbreviation - 1 ? length : sizeof kind.abbreviation - 1);
    for (int i = 0; i < draft->kinds.count; i++)
        if (draft->kinds.items[i].offset_us == offset_us && strcmp(draft->kinds.items[i].abbreviation, kind.abbreviation) == 0)
            return i;
    LIST_ADD(draft->arena, &draft->kinds, kind);
    return draft->kinds.count - 1;
}

static void draft_change(Draft *draft, int64_t at_us, int kind)
{
    if (draft->changes.count == 0 || draft->changes.items[draft->changes.count - 1].at_us < at_us)
        LIST_ADD(draft->arena, &draft->changes, ((Change){ at_us, kind }));
}

/* The rule of the last line: its changes of every year after the last listed one, for 400 years. */
static bool draft_rule(Draft *draft, const char *line, size_t length)
{
    PosixZone rule;
    if (!posix_zone_parse(line, length, &rule))
        return false;
    int standard = draft_kind(draft, rule.standard_us, rule.standard_name, rule.standard_length);
    int64_t last_us = draft->changes.count ? draft->changes.items[draft->changes.count - 1].at_us : INT64_MIN;
    if (!rule.has_daylight) {
        if (draft->changes.count == 0)
            draft->first = standard;
        else if (draft->changes.items[draft->changes.count - 1].kind != standard)
            return false; /* the file contradicts itself */
        return true;
    }
    int daylight = draft_kind(draft, rule.daylight_us, rule.daylight_name, rule.daylight_length);
    int year = draft->changes.count ? civil_from_us(last_us).year : 1970, end = year + 402;
    for (; year <= end; year++) {
        int64_t on = posix_zone_start(&rule, year), off = posix_zone_end(&rule, year);
        for (int i = 0; i < 2; i++) {
            bool starts = (i == 0) == (on < off);
            int64_t at_us = starts ? on : off;
            if (at_us > last_us)
                draft_change(draft, at_us, starts ? daylight : standard);
        }
    }
    CivilTime repeats = { .year = end, .month = 1, .day = 1 };
    draft->repeats_us = us_from_civil(&repeats);
    return true;
}

enum { HEADER = 44 };

typedef struct Counts { size_t is_utc, is_standard, leaps, times, kinds, letters; } Counts;

static bool read_header(const uint8_t *bytes, size_t length, int *version, Counts *counts)
{
    if (length < HEADER || memcmp(bytes, "TZif", 4) != 0)
        return false;
    *version = bytes[4] ? bytes[4] - '0' : 1;
    size_t numbers[6];
    for (int i = 0; i < 6; i++)
        numbers[i] = (size_t)(big_endian(bytes + 20 + 4 * i, 4) & 0xFFFFFFFF);
    *counts = (Counts){ numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5] };
    for (int i = 0; i < 6; i++)
        if (numbers[i] > 1 << 20)
            return false;
    return counts->kinds > 0;
}

static size_t block_bytes(const Counts *counts, size_t time_bytes)
{
    return counts->times * (time_bytes + 1) + counts->kinds * 6 + counts->letters + counts->leaps * (time_bytes + 4) + counts->is_standard +
           counts->is_utc;
}

static bool draft_read(Draft *draft, const uint8_t *bytes, size_t length)
{
    int version;
    Counts counts;
    if (!read_header(bytes, length, &version, &counts))
        return false;
    size_t width = 4;
    if (version >= 2) {
        size_t skipped = HEADER + block_bytes(&counts, 4);
        if (skipped > length || !read_header(bytes + skipped, length - skipped, &version, &counts))
            return false;
        bytes += skipped;
        length -= skipped;
        width = 8;
    }
    size_t block = block_bytes(&counts, width);
    if (length - HEADER < block)
        return false;
    const uint8_t *times = bytes + HEADER, *indexes = times + counts.times * width, *kinds = indexes + counts.times;
    const char *letters = (const char *)kinds + counts.kinds * 6;
    int *numbers = ARENA_ARRAY(draft->arena, int, counts.kinds);
    for (size_t i = 0; i < counts.kinds; i++) {
        size_t letter = kinds[i * 6 + 5];
        if (letter >= counts.letters)
            return false;
        numbers[i] = draft_kind(draft, big_endian(kinds + i * 6, 4) * US_PER_SECOND, letters + letter, strnlen(letters + letter, counts.letters - letter));
    }
    draft->first = numbers[0];
    for (size_t i = 0; i < counts.times; i++) {
        int64_t at = big_endian(times + i * width, (int)width);
        if (indexes[i] >= counts.kinds)
            return false;
        if (at < -(1ll << 40) || at > 1ll << 40) { /* "since ever" */
            draft->first = numbers[indexes[i]];
            continue;
        }
        draft_change(draft, at * US_PER_SECOND, numbers[indexes[i]]);
    }
    const char *line = (const char *)bytes + HEADER + block, *end = (const char *)bytes + length;
    const char *line_end = end - line > 1 && *line == '\n' ? memchr(line + 1, '\n', (size_t)(end - line) - 1) : NULL;
    return version < 2 || (line_end && (line_end == line + 1 || draft_rule(draft, line + 1, (size_t)(line_end - line) - 1)));
}

/* One block, so that nothing is left half made. */
static TimeZone *draft_finish(const Draft *draft, const char *name, size_t length)
{
    size_t changes = sizeof(Change) * (size_t)draft->changes.count, kinds = sizeof(ZoneKind) * (size_t)draft->kinds.count;
    TimeZone *zone = mem_calloc(1, sizeof(TimeZone) + changes + kinds + length + 1);
    char *at = (char *)(zone + 1);
    *zone = (TimeZone){ .change_count = draft->changes.count, .kind_count = draft->kinds.count, .changes = (Change *)at, .kinds = (ZoneKind *)(at + changes),
                        .first = draft->first, .repeats_us = draft->repeats_us, .name = at + changes + kinds };
    if (changes)
        memcpy(zone->changes, draft->changes.items, changes);
    memcpy(zone->kinds, draft->kinds.items, kinds);
    memcpy(at + changes + kinds, name, length);
    return zone;
}

static Error *read_file(Arena *arena, const char *path, uint8_t **bytes, size_t *length)
{
    FileSystem *fs = filesystem_system();
    FileInfo info;
    int handle;
    *bytes = NULL;
    TRY(fs->info(fs, path, &info));
    if (!info.exists || !info.is_regular || info.size_bytes > 1 << 20)
        return NULL;
    uint8_t *content = arena_alloc(arena, (size_t)info.size_bytes + 1);
    TRY(fs->open_read(fs, path, &handle));
    Error *error = NULL;
    size_t done = 1;
    *length = 0;
    while (!error && done && *length < (size_t)info.size_bytes) {
        error = fs->read_at(fs, handle, *length, content + *length, (size_t)info.size_bytes - *length, &done);
        *length += error ? 0 : done;
    }
    fs->close(fs, handle);
    *bytes = error ? NULL : content;
    return error;
}

/* Names lead to no file outside of the folder. */
static bool is_zone_name(const char *name, size_t length)
{
    if (length == 0 || length > 64 || *name < 'A' || *name > 'Z')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!((name[i] >= 'A' && name[i] <= 'Z') || (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') || strchr("/_+-", name[i])))
            return false;
    return true;
}

/* +02, +0200, +02:00, alone or behind UTC, GMT, UT; UTC, GMT, UT, Z. */
static bool fixed_offset(const char *name, size_t length, int64_t *us)
{
    const char *at = name, *end = name + length;
    bool named = length >= 3 && (memcmp(name, "UTC", 3) == 0 || memcmp(name, "GMT", 3) == 0);
    at += named ? 3 : 0;
    *us = 0;
    if ((named && at == end) || (length == 1 && (*name == 'Z' || *name == 'z')))
        return true;
    if (at == end || (*at != '+' && *at != '-'))
        return false;
    int sign = *at++ == '-' ? -1 : 1, digits[4] = { 0 }, count = 0;
    bool colon = false;
    for (; at < end; at++) {
        if (*at == ':' && !colon && (count == 2 || (named && count == 1)) && end - at == 3) {
            colon = true;
            if (count == 1) {
                digits[1] = digits[0];
                digits[0] = 0;
                count = 2;
            }
            continue;
        }
        if (*at < '0' || *at > '9' || count == 4)
            return false;
        digits[count++] = *at - '0';
    }
    if (count == 1 && named) {
        digits[1] = digits[0];
        digits[0] = 0;
        count = 2;
    }
    int hours = digits[0] * 10 + digits[1], minutes = digits[2] * 10 + digits[3];
    *us = sign * (hours * US_PER_HOUR + minutes * US_PER_MINUTE);
    return (count == 2 || count == 4) && hours <= 18 && minutes < 60;
}

static TimeZone *zone_read(const char *name, size_t length)
{
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    Draft draft = { .arena = &arena, .repeats_us = INT64_MAX };
    TimeZone *zone = NULL;
    int64_t offset_us;
    if (fixed_offset(name, length, &offset_us)) {
        const char *label = offset_us == 0 ? "UTC" : arena_strndup(&arena, name, length);
        draft.first = draft_kind(&draft, offset_us, label, strlen(label));
        zone = draft_finish(&draft, name, length);
    } else if (is_zone_name(name, length)) {
        uint8_t *bytes;
        size_t size = 0;
        Error *error = read_file(&arena, arena_printf(&arena, ZONEINFO "%.*s", (int)length, name), &bytes, &size);
        if (error)
            error_free(error);
        else if (bytes && draft_read(&draft, bytes, size))
            zone = draft_finish(&draft, name, length);
    }
    arena_release(&arena);
    return zone;
}

/* ---- all that were read ---- */

static TimeZone *_Atomic all_zones; /* only ever grows, at its head */
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

static const TimeZone *zone_known(const char *name, size_t length)
{
    for (const TimeZone *zone = all_zones; zone; zone = zone->next)
        if (strlen(zone->name) == length && memcmp(zone->name, name, length) == 0)
            return zone;
    return NULL;
}

const TimeZone *timezone_lookup(const char *name, size_t length)
{
    const TimeZone *zone = zone_known(name, length);
    if (zone)
        return zone;
    TimeZone *made = zone_read(name, length);
    if (!made)
        return NULL;
    pthread_mutex_lock(&adding);
    zone = zone_known(name, length); /* another thread may have been faster */
    if (!zone) {
        made->next = all_zones;
        all_zones = made;
    }
    pthread_mutex_unlock(&adding);
    if (!zone)
        return made;
    mem_free(made);
    return zone;
}

static Error *unknown_zone(const char *name, size_t length)
{
    static const char *const patterns[] = { ZONEINFO "[A-Z]*", ZONEINFO "[A-Z]*/*", ZONEINFO "[A-Z]*/*/*" };
    struct { const char **items; int count, capacity; } names = { 0 };
    FileSystem *fs = filesystem_system();
    Arena arena;
    arena_init(&arena, NULL);
    MEMORY_HOLD(arena_unwind, &arena);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const char *const *paths;
        int count = 0;
        Error *error = fs->glob(fs, &arena, patterns[i], &paths, &count);
        if (error)
            error_free(error);
        for (int p = 0; p < count; p++)
            LIST_ADD(&arena, &names, paths[p] + strlen(ZONEINFO));
    }
    const char *text = arena_strndup(&arena, name, length < 60 ? length : 60);
    Error *error = error_new(ERR_BIND, "unknown time zone '%s'", text);
    if (names.count == 0)
        error_hint(error, "no time zones are installed in " ZONEINFO ": package tzdata");
    else
        error_suggest(error, text, names.items, names.count);
    if (!error->hint)
        error_hint(error, "names are those of the IANA data base, such as 'Europe/Berlin', or offsets such as '+02:00'");
    arena_release(&arena);
    return error;
}

Error *timezone_find(const char *name, size_t length, const TimeZone **zone)
{
    *zone = timezone_lookup(name, length);
    return *zone ? NULL : unknown_zone(name, length);
}

const char *timezone_name(const TimeZone *zone) { return zone->name; }

bool timezone_is_fixed(const TimeZone *zone, int64_t *offset_us)
{
    *offset_us = zone->kinds[zone->first].offset_us;
    return zone->change_count == 0;
}

const TimeZone *timezone_abbreviated(const char *text, size_t length)
{
    static const struct { const char *text, *zone; } known[] = {
        { "PST", "America/Los_Angeles" }, { "PDT", "America/Los_Angeles" }, { "MST", "America/Denver" }, { "MDT", "America/Denver" },
        { "CST", "America/Chicago" }, { "CDT", "America/Chicago" }, { "EST", "America/New_York" }, { "EDT", "America/New_York" },
        { "AKST", "America/Anchorage" }, { "AKDT", "America/Anchorage" }, { "HST", "Pacific/Honolulu" }, { "BST", "Europe/London" },
        { "WET", "Europe/Lisbon" }, { "WEST", "Europe/Lisbon" }, { "CET", "Europe/Paris" }, { "CEST", "Europe/Paris" },
        { "EET", "Europe/Athens" }, { "EEST", "Europe/Athens" }, { "MSK", "Europe/Moscow" }, { "IST", "Asia/Kolkata" }, { "JST", "Asia/Tokyo" },
        { "KST", "Asia/Seoul" }, { "AEST", "Australia/Sydney" }, { "AEDT", "Australia/Sydney" }, { "NZST", "Pacific/Auckland" }, { "NZDT", "Pacific/Auckland" } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].text) == length && memcmp(known[i].text, text, length) == 0)
            return timezone_lookup(known[i].zone, strlen(known[i].zone));
    return NULL;
}

/* ---- times ---- */

/* The number of changes at or before the time. */
static int changes_before(const TimeZone *zone, int64_t utc_us)
{
    int low = 0, high = zone->change_count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (zone->changes[middle].at_us <= utc_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ZoneSpan timezone_span(const TimeZone *zone, int64_t utc_us)
{
    int64_t shift_us = 0;
    if (utc_us >= zone->repeats_us)
        shift_us = ((utc_us - zone->repeats_us) / CYCLE_US + 1) * CYCLE_US;
    int count = changes_before(zone, utc_us - shift_us);
    const ZoneKind *kind = &zone->kinds[count ? zone->changes[count - 1].kind : zone->first];
    return (ZoneSpan){ count ? time_add(zone->changes[count - 1].at_us, shift_us) : INT64_MIN,
                       count < zone->change_count ? time_add(zone->changes[count].at_us, shift_us) : INT64_MAX, kind->offset_us, kind->abbreviation };
}

int64_t timezone_local(const TimeZone *zone, int64_t utc_us) { return time_add(utc_us, timezone_span(zone, utc_us).offset_us); }

/* The spans a day before and a day after hold every candidate, if at most one change lies between; with more, walk. */
static int64_t to_utc(const TimeZone *zone, int64_t local_us, bool at_change)
{
    if (local_us == INT64_MIN || local_us == INT64_MAX)
        return local_us;
    ZoneSpan span = timezone_span(zone, time_sub(local_us, US_PER_DAY));
    for (;;) {
        int64_t utc_us = time_sub(local_us, span.offset_us);
        if (span.to_us == INT64_MAX || utc_us < span.to_us)
            return utc_us < span.from_us ? (at_change ? span.from_us : utc_us) : utc_us;
        ZoneSpan next = timezone_span(zone, span.to_us);
        if (time_sub(local_us, next.offset_us) < next.from_us) /* left out */
            return at_change ? next.from_us : utc_us;
        span = next;
    }
}

int64_t timezone_utc(const TimeZone *zone, int64_t local_us) { return to_utc(zone, local_us, false); }

bool timezone_parse(const TimeZone *zone, const char *bytes, size_t length, int64_t *utc_us)
{
    bool zoned;
    if (!timestamp_parse(bytes, length, utc_us, &zoned))
        return false;
    if (zone && !zoned)
        *utc_us = timezone_utc(zone, *utc_us);
    return true;
}

int64_t timezone_utc_start(const TimeZone *zone, int64_t local_us) { return to_utc(zone, local_us, true); }
