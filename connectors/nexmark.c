/* connectors/nexmark.c: the Nexmark auction site: persons, auctions and bids as one stream.
 *
 * Event e is a function of (seed, e) alone: numbers come from SplitMix64 at counter e * 16 + field, so every worker makes any rows, and
 * only the columns that are read are computed. Numbering, times, ids and distributions are those of the reference generator (Flink's
 * nexmark, one generator): first event id 1, first event number 1, person : auction : bid = 1 : 3 : 46. Its stream of random numbers is not,
 * as it has no fixed one.
 *
 * A batch is cut into runs: events of one kind and one epoch (50 events) that follow each other. What depends on the epoch is computed once
 * a run, and the loops over a run hold no branch. With shuffled events (out_of_order_group_size > 1) a run is one event. */
#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/calendar.h"
#include "connectors/connectors_internal.h"
#include "connectors/random.h"
#include "connectors/row_pace.h"

#define FIRST_EVENT 1
#define FIRST_ID 1000           /* of persons and auctions */
#define EPOCH 50                /* events: 1 person, 3 auctions, 46 bids */
#define AUCTIONS 3              /* an epoch */
#define FIRST_BID 4             /* place in the epoch */
#define HOT_BATCH 100
#define ACTIVE_PEOPLE 1000
#define IN_FLIGHT_AUCTIONS 100
#define ID_LEAD 10
#define CHANNELS 10000
#define POOL_BYTES (1u << 20)
#define COUNTERS 16             /* random numbers an event may use directly */

typedef enum RecordKind { RECORD_PERSON, RECORD_AUCTION, RECORD_BID, RECORD_ANY } RecordKind;

typedef struct NexmarkOptions {
    int64_t rows;
    int64_t rate;               /* events a second of event time */
    int64_t seed;
    const char *base_time;
    int64_t group_size;         /* out_of_order_group_size */
    double rows_per_second;
} NexmarkOptions;

typedef struct Generator {
    uint64_t key;               /* of the random numbers */
    double delay_us;            /* between two events */
    int64_t base_us;
    uint64_t group_size;
    Buffer *pool;               /* 1 MiB of letters that `extra` is cut from */
    Buffer *texts;              /* what the views below point into */
    Str channels[CHANNELS + 4], urls[CHANNELS + 4]; /* the last four are the hot ones */
} Generator;

typedef struct Run {
    uint64_t event;             /* id of the first */
    uint64_t epoch;
    uint32_t place;             /* of the first within its epoch */
    uint32_t row, count;
    RecordKind kind;
} Run;

/* ---- numbers ---- */

/* Which of an event's counters a field draws from. An event is of one kind, so kinds may share them. */
enum { DRAW_AUCTION, DRAW_BIDDER, DRAW_PRICE, DRAW_CHANNEL, DRAW_EXTRA, DRAW_NAME = 0, DRAW_EMAIL, DRAW_CARD, DRAW_CITY, DRAW_STATE = 5,
       DRAW_SELLER = 0, DRAW_CATEGORY, DRAW_INITIAL, DRAW_RESERVE, DRAW_EXPIRES = 5, DRAW_ITEM, DRAW_DESCRIPTION };

static inline uint64_t draw(const Generator *generator, uint64_t event, unsigned field)
{
    return random_at(generator->key, event * COUNTERS + field);
}

static inline int64_t time_ms(const Generator *generator, uint64_t number) { return (int64_t)((double)number * generator->delay_us) / 1000; }
static inline int64_t event_time_us(const Generator *generator, uint64_t event)
{
    return generator->base_us + time_ms(generator, event - FIRST_EVENT) * 1000;
}

/* 10^(6u) * 100 rounded, by a table of 2^(i/256) and three terms of the series. */
static double power_table[256];
static pthread_once_t power_once = PTHREAD_ONCE_INIT;
static void make_power_table(void)
{
    for (int i = 0; i < 256; i++)
        power_table[i] = exp2(i / 256.0);
}

static inline int64_t price_of(uint64_t random)
{
    double exponent = random_unit(random) * (6 * 3.3219280948873623478); /* log2(10) */
    int64_t steps = (int64_t)(exponent * 256);
    double rest = (exponent - (double)steps / 256) * 0.69314718055994530942;
    double power = power_table[steps & 255] * (1 + rest * (1 + rest * (0.5 + rest * (1.0 / 6))));
    return (int64_t)(power * (double)(100ll << (steps >> 8)) + 0.5);
}

/* A person that exists, or will soon. */
static inline uint64_t next_person(uint64_t epoch, uint64_t random)
{
    uint64_t people = epoch + 1, active = people < ACTIVE_PEOPLE ? people : ACTIVE_PEOPLE;
    return people - active + random_below32(random, active + ID_LEAD);
}

/* ---- texts ---- */

/* More numbers than an event's own counters: a stream of its own. */
typedef struct Letters {
    uint64_t state, bits;
    int left;
} Letters;

/* Each of 26 letters, and `special` once in 13: 338 equal cases a letter, seven of them from one number. */
static char next_letter(Letters *letters, char special)
{
    if (letters->left-- == 0) {
        letters->bits = random_mix(letters->state += RANDOM_STEP);
        letters->left = 6;
    }
    unsigned __int128 product = (unsigned __int128)letters->bits * 338;
    letters->bits = (uint64_t)product;
    unsigned choice = (unsigned)(product >> 64);
    return choice < 26 ? special : (char)('a' + choice % 26);
}

/* 3 .. max - 1 characters, then without blanks at both ends. Returns the length; *start is where they begin. */
static size_t random_text(uint64_t random, unsigned max, char special, char *out, char **start)
{
    Letters letters = { .state = random };
    size_t length = 3 + random_below32(random, max - 3);
    for (size_t i = 0; i < length; i++)
        out[i] = next_letter(&letters, special);
    while (length && out[length - 1] == ' ')
        length--;
    size_t blanks = 0;
    while (blanks < length && out[blanks] == ' ')
        blanks++;
    *start = out + blanks;
    return length - blanks;
}

#define TEXT_MAX 128
static size_t random_text_to(uint64_t random, unsigned max, char *out)
{
    char room[TEXT_MAX], *start;
    size_t length = random_text(random, max, ' ', room, &start);
    memcpy(out, start, length);
    return length;
}

static Str arena_str(Arena *arena, const char *bytes, size_t length)
{
    return str_view(length <= STR_INLINE ? bytes : arena_copy(arena, bytes, length), length);
}

/* Fills a record up to about `average` bytes. */
static Str extra_text(const Generator *generator, uint64_t random, int64_t current, int64_t average)
{
    if (current > average)
        return str_view("", 0);
    int64_t desired = average - current, delta = (int64_t)(0.2 * (double)desired + 0.5);
    uint64_t length = (uint64_t)desired;
    if (delta)
        length = (uint64_t)(desired - delta) + ((random & 0xffffffff) * (uint64_t)(2 * delta) >> 32);
    return str_view(generator->pool->bytes + random_below32(random, POOL_BYTES - length), length);
}

static const char *const first_names[] = { "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter" };
static const char *const last_names[] = { "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris" };
static const char *const cities[] = { "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne" };
static const char *const states[] = { "AZ", "CA", "ID", "OR", "WA", "WY" };
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static size_t person_name(uint64_t random, char *out)
{
    const char *first = first_names[random_below32(random, COUNT_OF(first_names))];
    const char *last = last_names[(random & 0xffffffff) * COUNT_OF(last_names) >> 32];
    size_t first_length = strlen(first), last_length = strlen(last);
    memcpy(out, first, first_length);
    out[first_length] = ' ';
    memcpy(out + first_length + 1, last, last_length);
    return first_length + 1 + last_length;
}

static size_t person_email(uint64_t random, char *out)
{
    size_t length = random_text_to(random, 7, out);
    out[length++] = '@';
    length += random_text_to(random_mix(random + 1), 5, out + length);
    memcpy(out + length, ".com", 4);
    return length + 4;
}

#define CARD_LENGTH 19
static size_t person_card(uint64_t random, char *out)
{
    for (int part = 0; part < 4; part++) {
        unsigned number = (unsigned)((random >> (16 * part) & 0xffff) * 10000 >> 16);
        for (int digit = 3; digit >= 0; digit--, number /= 10)
            out[part * 5 + digit] = (char)('0' + number % 10);
        if (part < 3)
            out[part * 5 + 4] = ' ';
    }
    return CARD_LENGTH;
}

static const char *person_city(uint64_t random) { return cities[random_below32(random, COUNT_OF(cities))]; }
static const char *person_state(uint64_t random) { return states[random_below32(random, COUNT_OF(states))]; }

static inline uint32_t bid_channel(uint64_t random)
{
    uint32_t hot = CHANNELS + (uint32_t)(random >> 1 & 3);
    return random & 1 ? hot : (uint32_t)random_below32(random, CHANNELS);
}

/* ---- columns ----
 * Each function fills one column of one run. */

#define INT_LOOP(value)                                                             \
    int64_t *out = (int64_t *)vector->values + run->row;                            \
    (void)generator; (void)arena;                                                   \
    for (uint32_t i = 0; i < run->count; i++) {                                     \
        uint64_t event = run->event + i;                                            \
        (void)event;                                                                \
        out[i] = (int64_t)(value);                                                  \
    }
#define STR_LOOP(value)                                                             \
    Str *out = (Str *)vector->values + run->row;                                    \
    (void)generator; (void)arena;                                                   \
    for (uint32_t i = 0; i < run->count; i++) {                                     \
        uint64_t event = run->event + i;                                            \
        out[i] = (value);                                                           \
    }
#define FILL(name) static void name(const Generator *generator, const Run *run, Vector *vector, Arena *arena)

FILL(fill_event_type) { INT_LOOP(run->kind) }
FILL(fill_time) { INT_LOOP(event_time_us(generator, event)) }

FILL(fill_person_id) { INT_LOOP(run->epoch + FIRST_ID) }
FILL(fill_person_city) { STR_LOOP(str_c(person_city(draw(generator, event, DRAW_CITY)))) }
FILL(fill_person_state) { STR_LOOP(str_c(person_state(draw(generator, event, DRAW_STATE)))) }

typedef size_t TextMaker(uint64_t random, char *out);
static Str made_text(const Generator *generator, uint64_t event, unsigned field, TextMaker *make, Arena *arena)
{
    char room[TEXT_MAX];
    return arena_str(arena, room, make(draw(generator, event, field), room));
}
FILL(fill_person_name) { STR_LOOP(made_text(generator, event, DRAW_NAME, person_name, arena)) }
FILL(fill_person_email) { STR_LOOP(made_text(generator, event, DRAW_EMAIL, person_email, arena)) }
FILL(fill_person_card) { STR_LOOP(made_text(generator, event, DRAW_CARD, person_card, arena)) }

static Str person_extra(const Generator *generator, uint64_t event)
{
    char room[TEXT_MAX];
    size_t length = person_name(draw(generator, event, DRAW_NAME), room) + person_email(draw(generator, event, DRAW_EMAIL), room) + CARD_LENGTH
                    + strlen(person_city(draw(generator, event, DRAW_CITY))) + strlen(person_state(draw(generator, event, DRAW_STATE)));
    return extra_text(generator, draw(generator, event, DRAW_EXTRA), 8 + (int64_t)length, 200);
}
FILL(fill_person_extra) { STR_LOOP(person_extra(generator, event)) }

static inline int64_t auction_expires(const Generator *generator, uint64_t event)
{
    uint64_t number = event - FIRST_EVENT;
    int64_t horizon = time_ms(generator, number + IN_FLIGHT_AUCTIONS * EPOCH / AUCTIONS) - time_ms(generator, number);
    uint64_t range = horizon > 0 ? 2 * (uint64_t)horizon : 1;
    return event_time_us(generator, event) + (1 + (int64_t)random_below(draw(generator, event, DRAW_EXPIRES), range)) * 1000;
}

static inline uint64_t auction_seller(uint64_t epoch, uint64_t random)
{
    uint64_t hot = epoch / HOT_BATCH * HOT_BATCH, cold = next_person(epoch, random);
    return (random & 3 ? hot : cold) + FIRST_ID;
}

static size_t item_name(uint64_t random, char *out) { return random_text_to(random, 20, out); }
static size_t item_description(uint64_t random, char *out) { return random_text_to(random, 100, out); }

static Str auction_extra(const Generator *generator, uint64_t event)
{
    char room[TEXT_MAX];
    size_t length = item_name(draw(generator, event, DRAW_ITEM), room) + item_description(draw(generator, event, DRAW_DESCRIPTION), room);
    return extra_text(generator, draw(generator, event, DRAW_EXTRA), 48 + (int64_t)length, 500);
}

FILL(fill_auction_id) { INT_LOOP(run->epoch * AUCTIONS + run->place - 1 + i + FIRST_ID) }
FILL(fill_auction_item) { STR_LOOP(made_text(generator, event, DRAW_ITEM, item_name, arena)) }
FILL(fill_auction_description) { STR_LOOP(made_text(generator, event, DRAW_DESCRIPTION, item_description, arena)) }
FILL(fill_auction_initial) { INT_LOOP(price_of(draw(generator, event, DRAW_INITIAL))) }
FILL(fill_auction_reserve) { INT_LOOP(price_of(draw(generator, event, DRAW_INITIAL)) + price_of(draw(generator, event, DRAW_RESERVE))) }
FILL(fill_auction_expires) { INT_LOOP(auction_expires(generator, event)) }
FILL(fill_auction_seller) { INT_LOOP(auction_seller(run->epoch, draw(generator, event, DRAW_SELLER))) }
FILL(fill_auction_category) { INT_LOOP(10 + random_below32(draw(generator, event, DRAW_CATEGORY), 5)) }
FILL(fill_auction_extra) { STR_LOOP(auction_extra(generator, event)) }

/* Every second bid goes to the hot auction, the others to one of the last hundred or of the ten that come next. */
FILL(fill_bid_auction)
{
    int64_t *out = (int64_t *)vector->values + run->row;
    (void)arena;
    uint64_t last = run->epoch * AUCTIONS + AUCTIONS - 1;
    uint64_t oldest = last > IN_FLIGHT_AUCTIONS ? last - IN_FLIGHT_AUCTIONS : 0;
    uint64_t hot = last / HOT_BATCH * HOT_BATCH + FIRST_ID, range = last - oldest + 1 + ID_LEAD;
    uint64_t counter = generator->key + (run->event * COUNTERS + DRAW_AUCTION) * RANDOM_STEP;
    for (uint32_t i = 0; i < run->count; i++, counter += COUNTERS * RANDOM_STEP) {
        uint64_t random = random_mix(counter), cold = oldest + FIRST_ID + random_below32(random, range);
        uint64_t mask = -(random & 1);
        out[i] = (int64_t)((hot & mask) | (cold & ~mask));
    }
}

/* Three of four bids come from the hot bidder. The reference adds the first id twice since 2021; so do we. */
FILL(fill_bid_bidder)
{
    int64_t *out = (int64_t *)vector->values + run->row;
    (void)arena;
    uint64_t people = run->epoch + 1, active = people < ACTIVE_PEOPLE ? people : ACTIVE_PEOPLE;
    uint64_t first = people - active + 2 * FIRST_ID, range = active + ID_LEAD;
    uint64_t hot = run->epoch / HOT_BATCH * HOT_BATCH + 1 + 2 * FIRST_ID;
    uint64_t counter = generator->key + (run->event * COUNTERS + DRAW_BIDDER) * RANDOM_STEP;
    for (uint32_t i = 0; i < run->count; i++, counter += COUNTERS * RANDOM_STEP) {
        uint64_t random = random_mix(counter), cold = first + random_below32(random, range);
        uint64_t mask = -(uint64_t)((random & 3) != 0);
        out[i] = (int64_t)((hot & mask) | (cold & ~mask));
    }
}

FILL(fill_bid_price) { INT_LOOP(price_of(draw(generator, event, DRAW_PRICE))) }
FILL(fill_bid_channel) { STR_LOOP(generator->channels[bid_channel(draw(generator, event, DRAW_CHANNEL))]) }
FILL(fill_bid_url) { STR_LOOP(generator->urls[bid_channel(draw(generator, event, DRAW_CHANNEL))]) }
FILL(fill_bid_extra) { STR_LOOP(extra_text(generator, draw(generator, event, DRAW_EXTRA), 32, 100)) }

typedef struct Leaf {
    const char *record;   /* NULL: a column by itself */
    const char *name;
    RecordKind kind;
    TypeKind type;
    void (*fill)(const Generator *generator, const Run *run, Vector *vector, Arena *arena);
} Leaf;

static const Leaf leaves[] = {
    { NULL, "event_type", RECORD_ANY, TYPE_INT, fill_event_type },
    { "person", "id", RECORD_PERSON, TYPE_BIGINT, fill_person_id },
    { "person", "name", RECORD_PERSON, TYPE_VARCHAR, fill_person_name },
    { "person", "emailAddress", RECORD_PERSON, TYPE_VARCHAR, fill_person_email },
    { "person", "creditCard", RECORD_PERSON, TYPE_VARCHAR, fill_person_card },
    { "person", "city", RECORD_PERSON, TYPE_VARCHAR, fill_person_city },
    { "person", "state", RECORD_PERSON, TYPE_VARCHAR, fill_person_state },
    { "person", "dateTime", RECORD_PERSON, TYPE_TIMESTAMP, fill_time },
    { "person", "extra", RECORD_PERSON, TYPE_VARCHAR, fill_person_extra },
    { "auction", "id", RECORD_AUCTION, TYPE_BIGINT, fill_auction_id },
    { "auction", "itemName", RECORD_AUCTION, TYPE_VARCHAR, fill_auction_item },
    { "auction", "description", RECORD_AUCTION, TYPE_VARCHAR, fill_auction_description },
    { "auction", "initialBid", RECORD_AUCTION, TYPE_BIGINT, fill_auction_initial },
    { "auction", "reserve", RECORD_AUCTION, TYPE_BIGINT, fill_auction_reserve },
    { "auction", "dateTime", RECORD_AUCTION, TYPE_TIMESTAMP, fill_time },
    { "auction", "expires", RECORD_AUCTION, TYPE_TIMESTAMP, fill_auction_expires },
    { "auction", "seller", RECORD_AUCTION, TYPE_BIGINT, fill_auction_seller },
    { "auction", "category", RECORD_AUCTION, TYPE_BIGINT, fill_auction_category },
    { "auction", "extra", RECORD_AUCTION, TYPE_VARCHAR, fill_auction_extra },
    { "bid", "auction", RECORD_BID, TYPE_BIGINT, fill_bid_auction },
    { "bid", "bidder", RECORD_BID, TYPE_BIGINT, fill_bid_bidder },
    { "bid", "price", RECORD_BID, TYPE_BIGINT, fill_bid_price },
    { "bid", "channel", RECORD_BID, TYPE_VARCHAR, fill_bid_channel },
    { "bid", "url", RECORD_BID, TYPE_VARCHAR, fill_bid_url },
    { "bid", "dateTime", RECORD_BID, TYPE_TIMESTAMP, fill_time },
    { "bid", "extra", RECORD_BID, TYPE_VARCHAR, fill_bid_extra },
    { NULL, "dateTime", RECORD_ANY, TYPE_TIMESTAMP, fill_time },
};
static const char *const record_names[] = { "person", "auction", "bid" };

/* ---- which columns ---- */

/* dateTime, datetime and date_time are the same. */
static bool same_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += *a == '_';
        b += *b == '_';
        char left = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a, right = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (left != right)
            return false;
        if (!left)
            return true;
    }
}

static const Leaf *find_leaf(const char *record, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(leaves); i++)
        if (!leaves[i].record == !record && (!record || same_name(leaves[i].record, record)) && same_name(leaves[i].name, name))
            return &leaves[i];
    return NULL;
}

static int find_record(const char *name)
{
    for (int i = 0; i < 3; i++)
        if (same_name(record_names[i], name))
            return i;
    return -1;
}

static Error *no_column(const char *record, const char *name)
{
    const char *names[COUNT_OF(leaves) + 3];
    int count = 0;
    for (size_t i = 0; i < COUNT_OF(leaves); i++)
        if (!leaves[i].record == !record && (!record || same_name(leaves[i].record, record)))
            names[count++] = leaves[i].name;
    for (int i = 0; !record && i < 3; i++)
        names[count++] = record_names[i];
    return error_suggest(error_new(ERR_BIND, "nexmark has no column '%s%s%s'", record ? record : "", record ? "." : "", name), name, names, count);
}

static Error *check_leaf(const char *record, const char *name, const Type *type)
{
    const Leaf *leaf = find_leaf(record, name);
    if (!leaf)
        return no_column(record, name);
    bool fits = leaf->type == TYPE_TIMESTAMP ? type_is_timestamp(type) : leaf->type == TYPE_VARCHAR ? type->kind == TYPE_VARCHAR : type_is_integer(type);
    return fits ? NULL : error_new(ERR_BIND, "nexmark's column '%s%s%s' is %s, not %s", record ? record : "", record ? "." : "", leaf->name,
                                   type_kind_name(leaf->type), type_kind_name(type->kind));
}

static Error *check_column(const SourceColumn *column)
{
    if (column->path_length == 2)
        return check_leaf(column->path[0], column->path[1], column->type);
    if (column->path_length > 2)
        return no_column(column->path[1], column->path[2]);
    if (find_record(column->path[0]) < 0)
        return check_leaf(NULL, column->path[0], column->type);
    if (column->type->kind != TYPE_STRUCT)
        return error_new(ERR_BIND, "nexmark's column '%s' is a ROW, not %s", column->path[0], type_kind_name(column->type->kind));
    for (int i = 0; i < column->type->child_count; i++)
        TRY(check_leaf(column->path[0], column->type->names[i], column->type->children[i]));
    return NULL;
}

/* ---- making batches ---- */

typedef struct Rows {
    Run runs[BATCH_ROWS];
    uint32_t run_count, row_count;
    uint64_t *validity[3];      /* per kind, shared by its columns */
} Rows;

static RecordKind kind_at(uint32_t place) { return place == 0 ? RECORD_PERSON : place < FIRST_BID ? RECORD_AUCTION : RECORD_BID; }

/* Events emitted so far -> the id of the next one: groups of events are shuffled in a fixed order. */
static uint64_t event_at(const Generator *generator, uint64_t emitted)
{
    uint64_t number = FIRST_EVENT + emitted, group = generator->group_size;
    return FIRST_EVENT + (group == 1 ? number : number / group * group + number * 953 % group);
}

static void find_runs(const Generator *generator, uint64_t first, uint32_t count, Rows *rows)
{
    static const uint32_t kind_ends[] = { 1, FIRST_BID, EPOCH };
    rows->run_count = 0;
    rows->row_count = count;
    for (uint32_t row = 0; row < count;) {
        uint64_t event = event_at(generator, first + row);
        Run *run = &rows->runs[rows->run_count++];
        *run = (Run){ .event = event, .epoch = event / EPOCH, .place = (uint32_t)(event % EPOCH), .row = row, .count = 1 };
        run->kind = kind_at(run->place);
        if (generator->group_size == 1) {
            uint32_t most = kind_ends[run->kind] - run->place;
            run->count = most < count - row ? most : count - row;
        }
        row += run->count;
    }
}

static void set_bits(uint64_t *bits, uint32_t first, uint32_t count)
{
    for (; count; ) {
        uint32_t at = first & 63, now = 64 - at < count ? 64 - at : count;
        bits[first >> 6] |= (now == 64 ? ~0ull : (1ull << now) - 1) << at;
        first += now;
        count -= now;
    }
}

static uint64_t *validity_of(Rows *rows, RecordKind kind, Arena *arena)
{
    if (rows->validity[kind])
        return rows->validity[kind];
    uint64_t *bits = arena_calloc(arena, bitmap_words(rows->row_count) + 1, sizeof *bits);
    for (uint32_t i = 0; i < rows->run_count; i++)
        if (rows->runs[i].kind == kind)
            set_bits(bits, rows->runs[i].row, rows->runs[i].count);
    return rows->validity[kind] = bits;
}

static void fill_leaf(const Generator *generator, Rows *rows, const Leaf *leaf, Vector *vector, Arena *arena)
{
    for (uint32_t i = 0; i < rows->run_count; i++)
        if (leaf->kind == RECORD_ANY || leaf->kind == rows->runs[i].kind)
            leaf->fill(generator, &rows->runs[i], vector, arena);
    if (leaf->kind != RECORD_ANY)
        vector->validity = validity_of(rows, leaf->kind, arena);
}

static void fill_column(const Generator *generator, Rows *rows, const SourceColumn *column, Vector *vector, Arena *arena)
{
    int record = column->path_length == 1 ? find_record(column->path[0]) : -1;
    if (record < 0) {
        bool nested = column->path_length == 2;
        fill_leaf(generator, rows, find_leaf(nested ? column->path[0] : NULL, column->path[nested]), vector, arena);
        return;
    }
    for (int i = 0; i < column->type->child_count; i++)
        fill_leaf(generator, rows, find_leaf(column->path[0], column->type->names[i]), vector->children[i], arena);
    vector->validity = validity_of(rows, (RecordKind)record, arena);
}

/* ---- the source ---- */

typedef struct NexmarkState {
    Generator generator;
    RowPace pace;
    SourceSplit split;
} NexmarkState;

/* Six letters from each signed 32-bit number, as Java's remainder makes them: 'H' .. 'z', a backslash among them. */
static void make_pool(Generator *generator)
{
    generator->pool = buffer_new(POOL_BYTES);
    char *out = (char *)generator->pool->bytes;
    for (uint32_t i = 0, draws = 0; i < POOL_BYTES; draws++) {
        int32_t number = (int32_t)random_at(~generator->key, draws);
        for (int letter = 0; letter < 6 && i < POOL_BYTES; letter++, number /= 26)
            out[i++] = (char)('a' + number % 26);
    }
}

static int32_t bits_reversed(uint32_t value)
{
    uint32_t reversed = 0;
    for (int bit = 0; bit < 32; bit++)
        reversed |= (value >> bit & 1) << (31 - bit);
    return (int32_t)reversed;
}

static char *add_url(char *out, uint64_t random)
{
    out = stpcpy(out, "https://www.nexmark.com/");
    for (int part = 0; part < 3; part++) {
        char *start;
        out += random_text(random_mix(random + (uint64_t)part), 5, '_', out, &start);
        *out++ = '/';
    }
    return stpcpy(out, "item.htm?query=1");
}

#define URL_MAX 96
#define CHANNEL_MAX 16
static void make_channels(Generator *generator)
{
    static const char *const hot[] = { "Google", "Facebook", "Baidu", "Apple" };
    generator->texts = buffer_new((CHANNELS + 4) * (URL_MAX + CHANNEL_MAX));
    char *out = (char *)generator->texts->bytes;
    uint64_t key = random_mix(generator->key);
    for (uint32_t i = 0; i < CHANNELS + 4; i++) {
        uint64_t random = random_at(key, i);
        char *start = out;
        out += i < CHANNELS ? sprintf(out, "channel-%u", i) : sprintf(out, "%s", hot[i - CHANNELS]);
        generator->channels[i] = str_view(start, (size_t)(out - start));
        start = out;
        out = add_url(out, random);
        if (i < CHANNELS && random % 10 > 0) { /* Java's abs of the smallest number is negative; so is ours */
            int32_t reversed = bits_reversed(i);
            out += sprintf(out, "&channel_id=%d", reversed == INT32_MIN ? reversed : abs(reversed));
        }
        generator->urls[i] = str_view(start, (size_t)(out - start));
    }
}

static bool wants_text(const Source *source)
{
    for (int i = 0; i < source->spec->column_count; i++)
        if (source->spec->columns[i].type->kind == TYPE_VARCHAR || source->spec->columns[i].type->kind == TYPE_STRUCT)
            return true;
    return false;
}

static Error *nexmark_open(Source *source)
{
    const NexmarkOptions *options = source->spec->options;
    NexmarkState *state = mem_calloc(1, sizeof *state);
    source->state = state;
    Generator *generator = &state->generator;
    for (int i = 0; i < source->spec->column_count; i++)
        TRY(check_column(&source->spec->columns[i]));
    if (!timestamp_parse(options->base_time, strlen(options->base_time), &generator->base_us, NULL))
        return error_new(ERR_BIND, "'base_time' wants a timestamp such as '2015-07-15 00:00:00', not '%s'", options->base_time);
    pthread_once(&power_once, make_power_table);
    generator->key = random_key((uint64_t)options->seed);
    generator->delay_us = 1e6 / (double)options->rate;
    generator->group_size = (uint64_t)options->group_size;
    if (wants_text(source)) {
        make_pool(generator);
        make_channels(generator);
    }
    state->pace = (RowPace){ .row_limit = options->rows, .rows_per_second = options->rows_per_second };
    state->split = (SourceSplit){ .name = "nexmark-0", .length = options->rows, .bounded = options->rows >= 0 };
    source->splits = &state->split;
    source->split_count = 1;
    return NULL;
}

static void nexmark_close(Source *source)
{
    NexmarkState *state = source->state;
    if (!state)
        return;
    buffer_release(state->generator.pool);
    buffer_release(state->generator.texts);
    mem_free(state);
    source->state = NULL;
}

static bool nexmark_bounded(const void *options) { return ((const NexmarkOptions *)options)->rows >= 0; }

static const Type *record_type(Arena *arena, const char *record)
{
    const char *names[COUNT_OF(leaves)];
    const Type *types[COUNT_OF(leaves)];
    int count = 0;
    for (size_t i = 0; i < COUNT_OF(leaves); i++)
        if (leaves[i].record && strcmp(leaves[i].record, record) == 0) {
            names[count] = leaves[i].name;
            types[count++] = type_scalar(leaves[i].type);
        }
    return type_struct(arena, count, names, types);
}

static Error *nexmark_schema(Arena *arena, const ConnectorContext *context, const void *options, Schema **schema)
{
    (void)context;
    (void)options;
    *schema = ARENA_NEW(arena, Schema);
    (*schema)->column_count = 5;
    (*schema)->columns = ARENA_ARRAY(arena, Column, 5);
    (*schema)->columns[0] = (Column){ .name = "event_type", .type = type_scalar(TYPE_INT) };
    for (int i = 0; i < 3; i++)
        (*schema)->columns[1 + i] = (Column){ .name = record_names[i], .type = record_type(arena, record_names[i]) };
    (*schema)->columns[4] = (Column){ .name = "dateTime", .type = type_scalar(TYPE_TIMESTAMP) };
    return NULL;
}

static Error *nexmark_seek(Source *source, int split, uint64_t position)
{
    (void)split;
    row_pace_seek(&((NexmarkState *)source->state)->pace, position);
    return NULL;
}

static Error *nexmark_next_rows(Source *source, int split, uint64_t max_rows, int64_t now_us, RowRange *range)
{
    (void)split;
    row_pace_next(&((NexmarkState *)source->state)->pace, max_rows, now_us, range);
    return NULL;
}

static Error *nexmark_produce(Source *source, int split, const RowRange *range, uint64_t done, uint32_t max_rows, Batch *batch)
{
    (void)split;
    const Generator *generator = &((NexmarkState *)source->state)->generator;
    uint64_t left = range->count - done;
    Rows rows;
    assert(max_rows <= BATCH_ROWS);
    memset(rows.validity, 0, sizeof rows.validity);
    find_runs(generator, range->first + done, left < max_rows ? (uint32_t)left : max_rows, &rows);
    for (int i = 0; i < source->spec->column_count; i++)
        fill_column(generator, &rows, &source->spec->columns[i], batch->columns[i], &batch->arena);
    if (generator->pool) {
        batch_hold_buffer(batch, generator->pool);
        batch_hold_buffer(batch, generator->texts);
    }
    batch->row_count = rows.row_count;
    batch->selection = (Selection){ rows.row_count, NULL };
    return NULL;
}

static int64_t nexmark_progress(Source *source, int split)
{
    (void)split;
    return (int64_t)((NexmarkState *)source->state)->pace.position;
}

static const SourceType nexmark_source = {
    .row_source = true,
    .time_column = "dateTime",
    .out_of_order_us = 4 * US_PER_SECOND,
    .open = nexmark_open,
    .close = nexmark_close,
    .bounded = nexmark_bounded,
    .schema = nexmark_schema,
    .seek = nexmark_seek,
    .next_rows = nexmark_next_rows,
    .produce = nexmark_produce,
    .progress = nexmark_progress,
};

static const OptionSpec nexmark_options[] = {
    { "rows", OPTION_INT, offsetof(NexmarkOptions, rows), "-1", "Stop after this many events; -1 never stops.", .minimum = -1, .maximum = INT64_MAX / 1024,
      .aliases = (const char *const[]){ "events", "events.num", NULL } },
    { "rate", OPTION_INT, offsetof(NexmarkOptions, rate), "10000", "Events a second of event time.", .minimum = 1, .maximum = 1000000000,
      .aliases = (const char *const[]){ "first_event_rate", "first_event.rate", "next_event.rate", NULL } },
    { "seed", OPTION_INT, offsetof(NexmarkOptions, seed), "0", "Another seed, other events.", .required = false },
    { "base_time", OPTION_STRING, offsetof(NexmarkOptions, base_time), "2015-07-15 00:00:00", "The event time that counting begins at.", .required = false },
    { "out_of_order_group_size", OPTION_INT, offsetof(NexmarkOptions, group_size), "1", "Events are shuffled within groups of this size.", .minimum = 1, .maximum = 1000000,
      .aliases = (const char *const[]){ "out_of_order_group.size", NULL } },
    { "rows_per_second", OPTION_DOUBLE, offsetof(NexmarkOptions, rows_per_second), "0", "Events a second of the clock; 0 is as fast as they are taken.", .maximum = 1000000000 },
    { 0 }
};

const ConnectorType nexmark_connector = {
    .name = "nexmark",
    .doc = "The Nexmark benchmark's auction site: persons, auctions and bids, the same for the same seed.",
    .options = nexmark_options,
    .options_size = sizeof(NexmarkOptions),
    .source = &nexmark_source,
};
