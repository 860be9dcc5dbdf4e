/* formats/infer.h: what a column's values have in common: the narrowest type that holds them all. */
#pragma once
#include "common/type.h"

typedef enum InferKind { INFER_NOTHING, INFER_BOOLEAN, INFER_BIGINT, INFER_DOUBLE, INFER_DATE, INFER_TIMESTAMP, INFER_VARCHAR, INFER_ARRAY, INFER_STRUCT } InferKind;

/* BIGINT and DOUBLE make DOUBLE, DATE and TIMESTAMP make TIMESTAMP; others that differ make VARCHAR. */
InferKind infer_widen(InferKind a, InferKind b);
InferKind infer_number(const char *bytes, size_t length); /* of a JSON number */
InferKind infer_time(const char *bytes, size_t length);   /* DATE, TIMESTAMP with a time part, or VARCHAR */
InferKind infer_cell(const char *bytes, size_t length);   /* of bare text: 007 is no number */
const Type *infer_type(InferKind kind);                   /* scalars; VARCHAR where nothing was seen */
