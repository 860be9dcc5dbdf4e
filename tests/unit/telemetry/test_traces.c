/* telemetry/: contexts as W3C writes them, what a collector may answer, and spans that are told too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/telemetry_internal.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void parents_are_read_strictly(void **state)
{
    static const char *const good[] = { "00-" TRACE "-" PARENT "-01", "00-" TRACE "-" PARENT "-ff", "01-" TRACE "-" PARENT "-01", "cc-" TRACE "-" PARENT "-01-what-is-to-come" };
    static const char *const bad[] = { "", "00", "00-" TRACE "-" PARENT, "00-" TRACE "-" PARENT "-1", "00-" TRACE "-" PARENT "-01-", "00-" TRACE "-" PARENT "-01x", "ff-" TRACE "-" PARENT "-01",
        "00-00000000000000000000000000000000-" PARENT "-01", "00-" TRACE "-0000000000000000-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", "00_" TRACE "-" PARENT "-01",
        "0x-" TRACE "-" PARENT "-01", "00-" TRACE "-" PARENT "-0x", "01-" TRACE "-" PARENT "-01x" };
    TraceContext context = { .valid = false };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!trace_parse_parent(good[i], &context) || !context.valid || !context.remote || !context.sampled || context.trace_id[0] != 0x4b || context.span_id[7] != 0xb7)
            fail_msg("'%s' was not taken", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (trace_parse_parent(bad[i], &context))
            fail_msg("'%s' was taken", bad[i]);
    assert_true(trace_parse_parent("00-" TRACE "-" PARENT "-00", &context) && !context.sampled);
}

/* A collector's answer may be anything: it is read within its bounds (under AddressSanitizer). */
static void answers_may_be_anything(void **state)
{
    static const unsigned char partial[] = { 0x0a, 0x05, 0x08, 0xac, 0x02, 0x12, 0x00 }, other_first[] = { 0x12, 0x01, 'x', 0x0a, 0x02, 0x08, 0x07 };
    static const unsigned char number_for_message[] = { 0x08, 0xff, 0xff, 0xff, 0xff, 0x0f }, too_long[] = { 0x0a, 0x7f, 0x08, 0x01 };
    (void)state;
    assert_int_equal(otlp_rejected(false, (const char *)partial, sizeof partial), 300);
    assert_int_equal(otlp_rejected(false, (const char *)other_first, sizeof other_first), 7);
    assert_int_equal(otlp_rejected(false, (const char *)number_for_message, sizeof number_for_message), 0);
    assert_int_equal(otlp_rejected(false, (const char *)too_long, sizeof too_long), 0);
    assert_int_equal(otlp_rejected(false, "", 0), 0);
    static const char text_number[] = "{\"partialSuccess\":{\"rejectedSpans\":\"12\"}}", negative[] = "{\"partialSuccess\":{\"rejectedSpans\":-1}}";
    assert_int_equal(otlp_rejected(true, text_number, strlen(text_number)), 12);
    assert_int_equal(otlp_rejected(true, negative, strlen(negative)), 0);
    assert_int_equal(otlp_rejected(true, "no", 2), 0);
    srand(1);
    for (int i = 0; i < 100000; i++) {
        size_t length = (size_t)rand() % 24;
        char *bytes = malloc(length + 1);
        for (size_t b = 0; b < length; b++)
            bytes[b] = (char)(rand() % 3 ? (const char[]){ 0x0a, 0x08, 0x12, 1, 2, 5, (char)0x80, (char)0xff }[rand() % 8] : rand());
        assert_true(otlp_rejected(false, bytes, length) >= 0);
        free(bytes);
    }
}

/* A tracer that sends nowhere: its exporter never begins. */
static void fake_tracer(Tracer *tracer, TraceSpan **ring, int most)
{
    *tracer = (Tracer){ .ring = ring, .settings = { .queue_most = most, .batch_most = most, .sampling = SAMPLE_ALL, .parent_based = true } };
    pthread_mutex_init(&tracer->lock, NULL);
    pthread_cond_init(&tracer->changed, NULL);
}

static void spans_hold_what_fits(void **state)
{
    Tracer tracer;
    TraceSpan *ring[2];
    TraceContext context;
    char large[5000];
    (void)state;
    fake_tracer(&tracer, ring, 2);
    TraceSpan *span = trace_start(&tracer, TRACE_INTERNAL, "a", NULL, &context);
    memset(large, 0xc3, sizeof large - 1); /* beginnings of characters that do not end */
    large[sizeof large - 1] = 0;
    for (int i = 0; i < 60; i++) {
        trace_text(span, "large", large);
        trace_number(span, "n", i);
    }
    trace_fail(span, large);
    trace_state(span, large);
    trace_rename(span, "b");
    assert_int_equal(span->attribute_count, SPAN_ATTRIBUTES);
    assert_int_equal(span->dropped_attributes, 120 - SPAN_ATTRIBUTES);
    assert_true(span->text_length <= SPAN_TEXT);
    assert_int_equal(utf8_valid_prefix(span->text, (size_t)span->text_length), span->text_length);
    for (int i = 0; i < 5; i++)
        trace_link(span, &context);
    assert_int_equal(span->link_count, SPAN_LINKS);
    Text out = { 0 };
    otlp_protobuf(&tracer.settings, "1", &span, 1, &out);
    otlp_json(&tracer.settings, "1", &span, 1, &out);
    text_release(&out);
    trace_finish(span);
    trace_finish(trace_start(&tracer, TRACE_INTERNAL, "second", NULL, &context));
    trace_finish(trace_start(&tracer, TRACE_INTERNAL, "third", NULL, &context)); /* finds no room */
    assert_int_equal(tracer.count, 2);
    assert_int_equal(tracer.statistics.dropped, 1);
    trace_discard(ring[0]);
    trace_discard(ring[1]);
    trace_text(NULL, "a", "b");
    trace_finish(NULL);
}

static void a_thread_knows_where_it_is(void **state)
{
    Tracer tracer;
    TraceSpan *ring[8];
    TraceScope outer, inner, none;
    (void)state;
    fake_tracer(&tracer, ring, 8);
    assert_false(trace_current().valid);
    TraceSpan *first = trace_begin(&tracer, "outer", &outer);
    TraceSpan *second = trace_begin(&tracer, "inner", &inner);
    assert_memory_equal(second->context.trace_id, first->context.trace_id, 16);
    assert_memory_equal(second->parent.span_id, first->context.span_id, 8);
    assert_memory_equal(trace_current().span_id, second->context.span_id, 8);
    assert_null(trace_begin(NULL, "without a tracer", &none));
    trace_end(NULL, &none);
    trace_end(second, &inner);
    assert_memory_equal(trace_current().span_id, first->context.span_id, 8);
    trace_end(first, &outer);
    assert_false(trace_current().valid);
    assert_true(first->end_ns >= second->end_ns && first->start_ns <= second->start_ns);
    trace_discard(first);
    trace_discard(second);
}

/* The same traces in every process, and about as many as asked for. */
static void ratios_look_at_the_trace(void **state)
{
    Tracer tracer;
    TraceSpan *ring[1];
    TraceContext context;
    int sampled = 0;
    (void)state;
    fake_tracer(&tracer, ring, 1);
    tracer.settings.sampling = SAMPLE_RATIO;
    tracer.settings.ratio = 0.25;
    for (int i = 0; i < 20000; i++) {
        TraceSpan *span = trace_start(&tracer, TRACE_INTERNAL, "a", NULL, &context);
        assert_true(context.valid);
        assert_int_equal(span != NULL, context.trace_id[8] < 0x40);
        sampled += span != NULL;
        trace_discard(span);
    }
    assert_in_range(sampled, 4500, 5500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parents_are_read_strictly), cmocka_unit_test(answers_may_be_anything),  cmocka_unit_test(spans_hold_what_fits),
        cmocka_unit_test(a_thread_knows_where_it_is), cmocka_unit_test(ratios_look_at_the_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
