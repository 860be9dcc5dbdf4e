/* The registry within the process: numbers, subjects, versions, references; every allocation may fail. */
#include "tests/unit/common/unit.h"

#include "common/memory.h"
#include "common/schema_registry.h"

static int32_t put(SchemaRegistry *registry, const char *subject, const char *text)
{
    int32_t id = 0;
    Error *error = registry->put(registry, subject, &(RegisteredSchema){ .type = "AVRO", .text = text }, true, &id);
    assert_null(error);
    return id;
}

static const RegisteredSchema *latest(SchemaRegistry *registry, const char *subject)
{
    const RegisteredSchema *schema = NULL;
    assert_null(registry->latest(registry, subject, &schema));
    return schema;
}

static bool has(SchemaRegistry *registry, const char *subject, int32_t id)
{
    bool result = false;
    assert_null(registry->has(registry, subject, id, &result));
    return result;
}

static void equal_schemas_have_one_number(void **state)
{
    (void)state;
    SchemaRegistry *registry = schema_registry_in_process();
    assert_int_equal(put(registry, "a-value", "\"int\""), 1);
    assert_int_equal(put(registry, "b-value", "\"int\""), 1);
    assert_int_equal(put(registry, "a-value", "\"long\""), 2);
    assert_string_equal(latest(registry, "a-value")->text, "\"long\"");
    assert_string_equal(latest(registry, "b-value")->text, "\"int\"");
    assert_null(latest(registry, "c-value"));
    assert_true(has(registry, "a-value", 1) && has(registry, NULL, 2) && has(registry, "b-value", 0));
    assert_false(has(registry, "b-value", 2) || has(registry, "c-value", 0) || has(registry, NULL, 3));
    registry->free(registry);
}

static void what_must_be_registered_is_looked_for(void **state)
{
    (void)state;
    SchemaRegistry *registry = schema_registry_in_process();
    const RegisteredSchema schema = { .type = "AVRO", .text = "\"int\"" };
    int32_t id = 0;
    Error *error = registry->put(registry, "a-value", &schema, false, &id);
    assert_non_null(error);
    assert_non_null(strstr(error->message, "is not registered under the subject 'a-value'"));
    error_free(error);
    put(registry, "a-value", "\"int\"");
    assert_null(registry->put(registry, "a-value", &schema, false, &id));
    assert_int_equal(id, 1);
    registry->free(registry);
}

static void subjects_are_forgotten_and_numbers_stay(void **state)
{
    (void)state;
    SchemaRegistry *registry = schema_registry_in_process();
    const RegisteredSchema *schema = NULL;
    put(registry, "a-value", "\"int\"");
    assert_null(registry->forget(registry, "a-value"));
    assert_null(latest(registry, "a-value"));
    assert_false(has(registry, "a-value", 0));
    assert_null(registry->get(registry, 1, &schema));
    assert_string_equal(schema->text, "\"int\"");
    assert_int_equal(put(registry, "a-value", "\"int\""), 1);
    assert_true(has(registry, "a-value", 1));
    registry->free(registry);
}

static void numbers_may_be_chosen_and_schemas_refer_to_others(void **state)
{
    (void)state;
    SchemaRegistry *registry = schema_registry_in_process();
    const RegisteredSchema *inner = NULL, *outer = NULL;
    assert_null(schema_registry_put_as(registry, "inner", &(RegisteredSchema){ .type = "AVRO", .text = "\"int\"" }, 40, &inner));
    const SchemaReference reference = { "com.acme.Inner", "inner", 1, inner };
    const RegisteredSchema with = { .type = "AVRO", .text = "\"com.acme.Inner\"", .references = &reference, .reference_count = 1 };
    assert_null(schema_registry_put_as(registry, "outer", &with, 0, &outer));
    assert_int_equal(outer->id, 41);
    assert_ptr_equal(outer->references[0].schema, inner);
    assert_string_equal(outer->references[0].name, "com.acme.Inner");
    Error *error = schema_registry_put_as(registry, "other", &(RegisteredSchema){ .type = "AVRO", .text = "\"long\"" }, 40, &inner);
    assert_non_null(error); /* the number is taken */
    error_free(error);
    registry->free(registry);
}

static Error *put_some(SchemaRegistry *registry)
{
    int32_t id;
    TRY(registry->put(registry, "a-value", &(RegisteredSchema){ .type = "AVRO", .text = "\"int\"" }, true, &id));
    return registry->put(registry, "b-value", &(RegisteredSchema){ .type = "AVRO", .text = "\"int\"" }, true, &id);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    bool failed = true;
    for (int64_t n = 1; failed; n++) {
        SchemaRegistry *registry = schema_registry_in_process();
        Error *error = NULL;
        memory_fail_at(n);
        MEMORY_GUARDED(error, put_some(registry));
        memory_fail_at(0);
        failed = error != NULL;
        error_free(error);
        assert_int_equal(put(registry, "c-value", "\"int\""), 1); /* it goes on, unlocked */
        registry->free(registry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_schemas_have_one_number), cmocka_unit_test(what_must_be_registered_is_looked_for), cmocka_unit_test(subjects_are_forgotten_and_numbers_stay),
        cmocka_unit_test(numbers_may_be_chosen_and_schemas_refer_to_others), cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
