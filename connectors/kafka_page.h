/* connectors/kafka_page.h: the messages of a turn, copied out of the client. Private to the connector 'kafka'.
 *
 * They are copied where librdkafka calls back, so its memory is free at once and never pinned by a slow turn; values lie one behind the other with a line
 * end between them, which is how decoders of text want them. Pages are used again: fresh memory for each turn would cost more than copying. */
#pragma once
#include <librdkafka/rdkafka.h>

#include "connectors/connectors.h"

#define PAGE_BYTES (256u << 10) /* of values; a turn ends there */
#define PAGE_RECORDS 2048u

typedef struct KafkaPage KafkaPage;
typedef struct KafkaPages KafkaPages; /* those of a source; they may outlive it */

KafkaPages *kafka_pages_new(MemoryPool *pool);
void kafka_pages_release(KafkaPages *pages); /* of the source; NULL is fine */

/* An empty page. */
KafkaPage *kafka_page_take(KafkaPages *pages);
void kafka_page_release(void *page); /* it is used again when no batch holds it any more either */
/* Copies a message. False: there is no memory; it is not in the page. Called where memory must not be raised. */
bool kafka_page_add(KafkaPage *page, const rd_kafka_message_t *message, bool headers);
bool kafka_page_full(const KafkaPage *page);
const RecordSet *kafka_page_set(KafkaPage *page, const char *topic, int32_t partition);
