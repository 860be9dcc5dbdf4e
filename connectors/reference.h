/* connectors/reference.h: values that stand elsewhere. */
#pragma once
#include "common/str.h"
#include "connectors/connectors.h"

/* Adds what '${env:NAME}' or '${file:PATH}' stands for (without the file's line ends at its end), or the text itself if it refers to nothing. */
Error *connector_resolve_value(const ConnectorContext *context, const char *written, Text *value);
