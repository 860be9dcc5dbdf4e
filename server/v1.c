/* server/v1.c: our own resources: queries, streams, tables and their rows. docs/openapi.json describes them. */
#include "server/server_internal.h"

const Route v1_routes[] = {
    { NULL, NULL, NULL, ROLE_NONE, false },
};
