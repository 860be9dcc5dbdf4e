/* formats/infer.c: what a column's values have in common. */
#include "formats/infer.h"
#include "common/calendar.h"
#include "formats/json_internal.h"

InferKind infer_widen(InferKind a, InferKind b)
{
    InferKind low = a < b ? a : b, high = a < b ? b : a;
    bool together = low == high || low == INFER_NOTHING || (low == INFER_BIGINT && high == INFER_DOUBLE) || (low == INFER_DATE && high == INFER_TIMESTAMP);
    return together ? high : INFER_VARCHAR;
}

InferKind infer_number(const char *bytes, size_t length)
{
    int64_t ignored;
    for (size_t i = 0; i < length; i++)
        if (bytes[i] == '.' || bytes[i] == 'e' || bytes[i] == 'E')
            return INFER_DOUBLE;
    return json_token_integer(bytes, length, &ignored) == JSON_INTEGER ? INFER_BIGINT : INFER_DOUBLE;
}

InferKind infer_time(const char *bytes, size_t length)
{
    int64_t ignored;
    if (length < 8 || length > 40 || bytes[0] < '0' || bytes[0] > '9')
        return INFER_VARCHAR;
    if (date_parse(bytes, length, &ignored))
        return INFER_DATE;
    return timestamp_parse(bytes, length, &ignored, NULL) ? INFER_TIMESTAMP : INFER_VARCHAR;
}

InferKind infer_cell(const char *bytes, size_t length)
{
    if (length == 0)
        return INFER_NOTHING;
    if (json_number_end(bytes, bytes + length) == bytes + length)
        return infer_number(bytes, length);
    char small[6] = { 0 };
    if (length < sizeof small) {
        memcpy(small, bytes, length);
        if (name_equal(small, "true") || name_equal(small, "false"))
            return INFER_BOOLEAN;
    }
    return infer_time(bytes, length);
}

const Type *infer_type(InferKind kind)
{
    switch (kind) {
    case INFER_BOOLEAN: return type_scalar(TYPE_BOOLEAN);
    case INFER_BIGINT: return type_scalar(TYPE_BIGINT);
    case INFER_DOUBLE: return type_scalar(TYPE_DOUBLE);
    case INFER_DATE: return type_scalar(TYPE_DATE);
    case INFER_TIMESTAMP: return type_scalar(TYPE_TIMESTAMP);
    case INFER_NOTHING: case INFER_VARCHAR: case INFER_ARRAY: case INFER_STRUCT: break;
    }
    return type_scalar(TYPE_VARCHAR);
}
