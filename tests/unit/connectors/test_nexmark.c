/* Nexmark: the same events for the same seed however they are asked for; numbering, times and distributions of the reference. */
#include "tests/unit/common/unit.h"

#include <ctype.h>

#include "connectors/connectors_internal.h"
#include "connectors/row_pace.h"

enum { EVENTS = 200000, FIRST_BID_PLACE = 4 };

typedef struct Fixture {
    Arena arena;
    ConnectorContext context;
    void *options;
    SourceSpec spec;
    Source source;
} Fixture;

static Arena arena;

static void open_source(Fixture *f, const char *const names[][2], int count, OptionEntry *entries, int entry_count)
{
    *f = (Fixture){ .context = { .clock = clock_system(), .filesystem = filesystem_system() } };
    arena_init(&f->arena, NULL);
    f->options = arena_calloc(&f->arena, 1, nexmark_connector.options_size);
    const OptionTarget target = { nexmark_connector.options, f->options, "connector 'nexmark'" };
    assert_fine(options_parse(&f->arena, entries, entry_count, &target, 1, SPAN_NONE));
    Schema *schema;
    assert_fine(nexmark_connector.source->schema(&f->arena, &f->context, f->options, &schema));
    SourceColumn *columns = ARENA_ARRAY(&f->arena, SourceColumn, (size_t)count);
    for (int i = 0; i < count; i++) {
        int place = schema_find(schema, names[i][0]);
        assert_true(place >= 0);
        const Type *type = schema->columns[place].type;
        if (names[i][1]) {
            int field = type_field(type, names[i][1]);
            assert_true(field >= 0);
            type = type->children[field];
        }
        columns[i] = (SourceColumn){ names[i], names[i][1] ? 2 : 1, type };
    }
    f->spec = (SourceSpec){ .connector = &nexmark_connector, .options = f->options, .columns = columns, .column_count = count };
    f->source = (Source){ .spec = &f->spec, .context = &f->context };
    assert_fine(nexmark_connector.source->open(&f->source));
}

static void close_source(Fixture *f)
{
    nexmark_connector.source->close(&f->source);
    arena_release(&f->arena);
}

/* Rows [done, done + rows) of a range. */
static Batch *produce(Fixture *f, const RowRange *range, uint64_t done, uint32_t rows)
{
    Batch *batch = batch_new(NULL, f->spec.column_count);
    for (int c = 0; c < f->spec.column_count; c++)
        batch->columns[c] = vector_new(&batch->arena, f->spec.columns[c].type, rows);
    assert_fine(nexmark_connector.source->produce(&f->source, 0, range, done, rows, batch));
    return batch;
}

static void put_rows(Text *out, const Batch *batch)
{
    for (uint32_t row = 0; row < batch->row_count; row++) {
        for (int c = 0; c < batch->column_count; c++) {
            Value value = vector_get(&arena, batch->columns[c], row);
            value_print(&value, out);
            text_add_char(out, ' ');
        }
        text_add_char(out, '\n');
    }
    arena_reset(&arena);
}

static const char *const all_columns[][2] = { { "event_type", NULL }, { "person", NULL }, { "auction", NULL }, { "bid", NULL }, { "dateTime", NULL } };

static Text rows_in_steps(const char *seed, const char *group, uint64_t rows, uint32_t turn, uint32_t step)
{
    Fixture f;
    Text out = { 0 };
    OptionEntry entries[] = { { .name = "seed", .value = seed }, { .name = "out_of_order_group_size", .value = group }, { .name = "rows", .value = arena_printf(&arena, "%llu", (unsigned long long)rows) } };
    open_source(&f, all_columns, 5, entries, 3);
    for (bool end = false; !end;) {
        RowRange range;
        assert_fine(nexmark_connector.source->next_rows(&f.source, 0, turn, 0, &range));
        assert_false(range.waiting);
        for (uint64_t done = 0; done < range.count; done += step) {
            Batch *batch = produce(&f, &range, done, step);
            assert_int_equal(batch->row_count, range.count - done < step ? range.count - done : step);
            put_rows(&out, batch);
            batch_release(batch);
        }
        end = range.end;
    }
    assert_int_equal(nexmark_connector.source->progress(&f.source, 0), rows);
    close_source(&f);
    text_c(&out);
    return out;
}

static void events_do_not_depend_on_how_they_are_asked_for(void **state)
{
    (void)state;
    Text whole = rows_in_steps("7", "1", 3000, 5000, 2048), pieces = rows_in_steps("7", "1", 3000, 777, 100), single = rows_in_steps("7", "1", 3000, 50, 1), other = rows_in_steps("8", "1", 3000, 5000, 2048);
    assert_string_equal(whole.bytes, pieces.bytes);
    assert_string_equal(whole.bytes, single.bytes);
    assert_string_not_equal(whole.bytes, other.bytes);
    text_release(&pieces), text_release(&single), text_release(&other);

    /* Only some columns, and from the middle on: the same values. */
    static const char *const few[][2] = { { "bid", "price" }, { "person", "name" }, { "dateTime", NULL } };
    Fixture all, some;
    OptionEntry seed[] = { { .name = "seed", .value = "7" } };
    open_source(&all, all_columns, 5, seed, 1);
    open_source(&some, few, 3, seed, 1);
    assert_fine(nexmark_connector.source->seek(&some.source, 0, 1000));
    RowRange range;
    assert_fine(nexmark_connector.source->next_rows(&some.source, 0, 500, 0, &range));
    assert_int_equal(range.first, 1000);
    Batch *b = produce(&some, &range, 0, 500);
    RowRange start = { .first = 0, .count = 2000 };
    Batch *a = produce(&all, &start, 0, 2000);
    const Type *person = all.spec.columns[1].type, *bid = all.spec.columns[3].type;
    for (uint32_t row = 0; row < 500; row++) {
        Value price = vector_get(&arena, a->columns[3]->children[type_field(bid, "price")], row + 1000), name = vector_get(&arena, a->columns[1]->children[type_field(person, "name")], row + 1000),
              time = vector_get(&arena, a->columns[4], row + 1000), got_price = vector_get(&arena, b->columns[0], row), got_name = vector_get(&arena, b->columns[1], row), got_time = vector_get(&arena, b->columns[2], row);
        if (!vector_is_null(a->columns[3], row + 1000))
            assert_true(value_equal(&price, &got_price));
        assert_int_equal(got_price.is_null, vector_is_null(a->columns[3], row + 1000));
        if (!vector_is_null(a->columns[1], row + 1000))
            assert_true(value_equal(&name, &got_name));
        assert_true(value_equal(&time, &got_time));
    }
    batch_release(a), batch_release(b);
    close_source(&all), close_source(&some);
    text_release(&whole);
}

/* The reference's numbering, written down once more. */
static int64_t last_person(int64_t e) { return e / 50; }
static int64_t last_auction(int64_t e) { return e % 50 < 1 ? (e / 50 - 1) * 3 + 2 : e % 50 >= 4 ? e / 50 * 3 + 2 : e / 50 * 3 + e % 50 - 1; }
static int64_t time_of(int64_t number, double rate) { return 1436918400000 + (int64_t)((double)number * (1e6 / rate)) / 1000; }

static const Value *field(const Value *record, const char *name)
{
    int place = type_field(record->type, name);
    assert_true(place >= 0);
    return &record->nested.items[place];
}

static bool is_one_of(const Str *text, const char *const list[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == text->length && memcmp(list[i], str_bytes(text), text->length) == 0)
            return true;
    return false;
}
static void assert_letters(const Str *text, size_t most, char special)
{
    assert_in_range(text->length, special == ' ' ? 0 : 3, most);
    for (uint32_t i = 0; i < text->length; i++)
        assert_true(islower((unsigned char)str_bytes(text)[i]) || str_bytes(text)[i] == special);
    if (special == ' ' && text->length)
        assert_true(str_bytes(text)[0] != ' ' && str_bytes(text)[text->length - 1] != ' ');
}
/* extra(current, average): within a fifth of what is missing. */
static void assert_extra(const Str *text, int64_t current, int64_t average)
{
    if (current > average) {
        assert_int_equal(text->length, 0);
        return;
    }
    int64_t missing = average - current, delta = (int64_t)(0.2 * (double)missing + 0.5);
    assert_in_range(text->length, missing - delta, missing + delta - (delta > 0));
    for (uint32_t i = 0; i < text->length; i++)
        assert_in_range((unsigned char)str_bytes(text)[i], 'H', 'z');
}

static void assert_share(uint64_t count, uint64_t of, double share, const char *what)
{
    double got = (double)count / (double)of;
    if (got < share - 0.01 || got > share + 0.01)
        fail_msg("%s: %.4f instead of %.4f", what, got, share);
}

typedef struct Counts {
    uint64_t bids, hot_auction, cold_auction_hit, hot_bidder, hot_channel, with_channel_id, cheap, dear, backslash, auctions, hot_seller, categories[5], persons, cities, states;
} Counts;

static void check_person(const Value *record, int64_t e, int64_t ms, Counts *counts)
{
    static const char *const cities[] = { "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne" }, *const states[] = { "AZ", "CA", "ID", "OR", "WA", "WY" };
    static const char *const firsts[] = { "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter" }, *const lasts[] = { "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris" };
    assert_int_equal(field(record, "id")->integer, last_person(e) + 1000);
    assert_int_equal(field(record, "dateTime")->integer, ms * 1000);
    const Str *name = &field(record, "name")->text, *email = &field(record, "emailAddress")->text, *card = &field(record, "creditCard")->text, *city = &field(record, "city")->text, *us_state = &field(record, "state")->text;
    const char *blank = memchr(str_bytes(name), ' ', name->length);
    assert_non_null(blank);
    Str first = str_view(str_bytes(name), (size_t)(blank - str_bytes(name))), last = str_view(blank + 1, name->length - first.length - 1);
    assert_true(is_one_of(&first, firsts, COUNT(firsts)) && is_one_of(&last, lasts, COUNT(lasts)));
    const char *at = memchr(str_bytes(email), '@', email->length);
    assert_non_null(at);
    assert_memory_equal(str_bytes(email) + email->length - 4, ".com", 4);
    assert_in_range(at - str_bytes(email), 0, 6);
    assert_int_equal(card->length, 19);
    for (uint32_t i = 0; i < 19; i++)
        assert_true(i % 5 == 4 ? str_bytes(card)[i] == ' ' : isdigit((unsigned char)str_bytes(card)[i]));
    assert_true(is_one_of(city, cities, COUNT(cities)) && is_one_of(us_state, states, COUNT(states)));
    counts->cities += is_one_of(city, cities, 1);
    counts->states += is_one_of(us_state, states, 1);
    assert_extra(&field(record, "extra")->text, 8 + name->length + email->length + card->length + city->length + us_state->length, 200);
    counts->persons++;
}

static void check_auction(const Value *record, int64_t e, int64_t ms, Counts *counts)
{
    assert_int_equal(field(record, "id")->integer, last_auction(e) + 1000);
    assert_int_equal(field(record, "dateTime")->integer, ms * 1000);
    int64_t seller = field(record, "seller")->integer - 1000, category = field(record, "category")->integer, initial = field(record, "initialBid")->integer, reserve = field(record, "reserve")->integer,
            expires = field(record, "expires")->integer / 1000, horizon = time_of(e - 1 + 1666, 10000) - ms;
    assert_in_range(seller, 0, last_person(e) + 10);
    if (last_person(e) >= 1000)
        assert_true(seller % 100 == 0 || seller >= last_person(e) - 1000);
    counts->hot_seller += seller == last_person(e) / 100 * 100;
    assert_in_range(category, 10, 14);
    counts->categories[category - 10]++;
    assert_in_range(initial, 100, 100000000);
    assert_in_range(reserve - initial, 100, 100000000);
    assert_in_range(expires, ms + 1, ms + 1 + (horizon * 2 > 1 ? horizon * 2 : 1) - 1);
    const Str *item = &field(record, "itemName")->text, *description = &field(record, "description")->text;
    assert_letters(item, 19, ' ');
    assert_letters(description, 99, ' ');
    assert_extra(&field(record, "extra")->text, 48 + item->length + description->length, 500);
    counts->auctions++;
}

static void check_bid(const Value *record, int64_t e, int64_t ms, Counts *counts)
{
    static const char *const hot[] = { "Google", "Facebook", "Baidu", "Apple" };
    int64_t auction = field(record, "auction")->integer - 1000, bidder = field(record, "bidder")->integer - 2000, price = field(record, "price")->integer;
    int64_t least = last_auction(e) - 100 > 0 ? last_auction(e) - 100 : 0;
    assert_int_equal(field(record, "dateTime")->integer, ms * 1000);
    bool hot_auction = auction == last_auction(e) / 100 * 100;
    assert_true(hot_auction || (auction >= least && auction <= last_auction(e) + 10));
    counts->hot_auction += hot_auction;
    assert_true(bidder == last_person(e) / 100 * 100 + 1 || (bidder >= 0 && bidder >= last_person(e) + 1 - 1000 && bidder <= last_person(e) + 10));
    counts->hot_bidder += bidder == last_person(e) / 100 * 100 + 1;
    assert_in_range(price, 100, 100000000);
    counts->cheap += price < 10000;
    counts->dear += price >= 1000000;
    const Str *channel = &field(record, "channel")->text, *url = &field(record, "url")->text, *extra = &field(record, "extra")->text;
    bool is_hot = is_one_of(channel, hot, 4), has_id = memmem(str_bytes(url), url->length, "&channel_id=", 12) != NULL;
    if (!is_hot) {
        assert_memory_equal(str_bytes(channel), "channel-", 8);
        assert_in_range(atoi(str_bytes(channel) + 8), 0, 9999);
        counts->with_channel_id += has_id;
    } else {
        assert_false(has_id);
    }
    counts->hot_channel += is_hot;
    assert_memory_equal(str_bytes(url), "https://www.nexmark.com/", 24);
    assert_non_null(memmem(str_bytes(url), url->length, "/item.htm?query=1", 17));
    assert_extra(extra, 32, 100);
    assert_in_range(extra->length, 54, 81);
    counts->backslash += memchr(str_bytes(extra), '\\', extra->length) != NULL;
    counts->bids++;
}

static void events_are_those_of_the_reference(void **state)
{
    (void)state;
    Fixture f;
    Counts counts = { 0 };
    open_source(&f, all_columns, 5, NULL, 0);
    RowRange range = { .first = 0, .count = EVENTS };
    for (uint64_t done = 0; done < EVENTS; done += BATCH_ROWS) {
        Batch *batch = produce(&f, &range, done, BATCH_ROWS);
        for (uint32_t row = 0; row < batch->row_count; row++) {
            int64_t e = (int64_t)(done + row) + 2, ms = time_of(e - 1, 10000), kind = e % 50 < 1 ? 0 : e % 50 < FIRST_BID_PLACE ? 1 : 2;
            Value type = vector_get(&arena, batch->columns[0], row), time = vector_get(&arena, batch->columns[4], row);
            assert_int_equal(type.integer, kind);
            assert_int_equal(time.integer, ms * 1000);
            for (int record = 0; record < 3; record++) {
                assert_int_equal(vector_is_null(batch->columns[1 + record], row), record != kind); /* exactly one */
                if (record != kind)
                    continue;
                Value value = vector_get(&arena, batch->columns[1 + record], row);
                (record == 0 ? check_person : record == 1 ? check_auction : check_bid)(&value, e, ms, &counts);
            }
        }
        arena_reset(&arena);
        batch_release(batch);
    }
    close_source(&f);
    assert_int_equal(counts.persons + counts.auctions + counts.bids, EVENTS);
    assert_share(counts.bids, EVENTS, 0.92, "bids");
    assert_share(counts.auctions, EVENTS, 0.06, "auctions");
    assert_share(counts.hot_auction, counts.bids, 0.5 + 0.5 / 111, "hot auctions");
    assert_share(counts.hot_bidder, counts.bids, 0.75, "hot bidders");
    assert_share(counts.hot_channel, counts.bids, 0.5, "hot channels");
    assert_share(counts.with_channel_id, counts.bids - counts.hot_channel, 0.9, "urls with a channel's id");
    assert_share(counts.cheap, counts.bids, 1 / 3.0, "prices below 10,000");
    assert_share(counts.dear, counts.bids, 1 / 3.0, "prices from 1,000,000");
    assert_share(counts.hot_seller, counts.auctions, 0.75, "hot sellers");
    assert_true(counts.backslash > counts.bids / 2); /* most need escaping in JSON */
    for (int i = 0; i < 5; i++)
        assert_true(counts.categories[i] > counts.auctions / 5 * 0.9 && counts.categories[i] < counts.auctions / 5 * 1.1);
    assert_true(counts.cities > counts.persons / 10 * 0.8 && counts.cities < counts.persons / 10 * 1.2);
    assert_true(counts.states > counts.persons / 6 * 0.8 && counts.states < counts.persons / 6 * 1.2);
}

/* Shuffled within groups: the same events in a fixed order. */
static void groups_are_shuffled(void **state)
{
    (void)state;
    static const char *const times[][2] = { { "dateTime", NULL }, { "event_type", NULL } };
    enum { GROUP = 1000, ROWS = 5 * GROUP };
    Fixture f;
    OptionEntry entries[] = { { .name = "out_of_order_group_size", .value = "1000" }, { .name = "rate", .value = "1000" } };
    open_source(&f, times, 2, entries, 2);
    RowRange range = { .first = 0, .count = ROWS };
    int out_of_order = 0;
    int64_t before = 0;
    for (uint64_t done = 0; done < ROWS; done += 1000) {
        Batch *batch = produce(&f, &range, done, 1000);
        for (uint32_t row = 0; row < 1000; row++) {
            int64_t n = (int64_t)(done + row) + 1, adjusted = n / GROUP * GROUP + n * 953 % GROUP, e = adjusted + 1;
            int64_t time = ((int64_t *)batch->columns[0]->values)[row];
            assert_int_equal(time, time_of(adjusted, 1000) * 1000);
            assert_int_equal(((int64_t *)batch->columns[1]->values)[row], e % 50 < 1 ? 0 : e % 50 < 4 ? 1 : 2);
            out_of_order += time < before;
            before = time;
        }
        batch_release(batch);
    }
    close_source(&f);
    assert_true(out_of_order > ROWS / 30);
    Text a = rows_in_steps("1", "100", 1000, 5000, 2048), b = rows_in_steps("1", "100", 1000, 33, 5);
    assert_string_equal(a.bytes, b.bytes);
    text_release(&a), text_release(&b);
}

static void wrong_columns_and_options_are_refused(void **state)
{
    (void)state;
    static const struct { const char *path[2]; int length; TypeKind type; const char *part; } cases[] = {
        { { "bids", NULL }, 1, TYPE_BIGINT, "bids" }, { { "bid", "pricee" }, 2, TYPE_BIGINT, "pricee" }, { { "bid", "price" }, 2, TYPE_VARCHAR, "price" }, { { "bid", NULL }, 1, TYPE_BIGINT, "ROW" } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Fixture f;
        open_source(&f, all_columns, 1, NULL, 0);
        nexmark_connector.source->close(&f.source);
        SourceColumn column = { cases[i].path, cases[i].length, type_scalar(cases[i].type) };
        f.spec.columns = &column;
        f.spec.column_count = 1;
        Error *error = nexmark_connector.source->open(&f.source);
        assert_error(error, cases[i].part);
        close_source(&f);
    }
    OptionEntry wrong = { .name = "rate", .value = "0" };
    Arena own;
    arena_init(&own, NULL);
    const OptionTarget target = { nexmark_connector.options, arena_calloc(&own, 1, nexmark_connector.options_size), "connector 'nexmark'" };
    assert_error(options_parse(&own, &wrong, 1, &target, 1, SPAN_NONE), "'rate' must be from 1");
    arena_release(&own);
}

/* ---- pace ---- */

static void rows_come_at_their_pace(void **state)
{
    (void)state;
    RowPace pace = { .row_limit = 1000, .rows_per_second = 50 };
    RowRange range;
    int64_t start = 1000000000, now = start;
    uint64_t rows = 0;
    for (int step = 0; step < 100000 && rows < 1000; step++) {
        row_pace_next(&pace, 64, now, &range);
        assert_int_equal(range.first, rows);
        rows += range.count;
        assert_true(rows <= (uint64_t)((now - start) * 50 / 1000000) + 1); /* never early */
        if (range.waiting) {
            assert_int_equal(range.count, 0);
            assert_true(range.next_at_us > now);
            now = range.next_at_us;
        }
    }
    assert_int_equal(rows, 1000);
    assert_true(range.end);
    assert_in_range(now - start, 19900000, 20100000); /* 1000 rows at 50 a second */
    pace = (RowPace){ .row_limit = -1 };
    row_pace_next(&pace, 100, 0, &range);
    assert_true(range.count == 100 && !range.end && !range.waiting);
    row_pace_seek(&pace, 7);
    row_pace_next(&pace, 3, 0, &range);
    assert_int_equal(range.first, 7);
    pace = (RowPace){ .row_limit = 0, .rows_per_second = 5 };
    row_pace_next(&pace, 100, 0, &range);
    assert_true(range.end && range.count == 0);
}

static int start(void **state)
{
    (void)state;
    arena_init(&arena, NULL);
    return 0;
}
static int stop(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_do_not_depend_on_how_they_are_asked_for, start, stop),
        cmocka_unit_test_setup_teardown(events_are_those_of_the_reference, start, stop),
        cmocka_unit_test_setup_teardown(groups_are_shuffled, start, stop),
        cmocka_unit_test_setup_teardown(wrong_columns_and_options_are_refused, start, stop),
        cmocka_unit_test(rows_come_at_their_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
