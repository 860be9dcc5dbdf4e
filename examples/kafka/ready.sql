-- Waits until both topics are there.
SET 'properties.bootstrap.servers' = '${KAFKA}';
ASSERT TOPIC '${BIDS}' TIMEOUT 30 SECONDS;
ASSERT TOPIC '${BIDS}-counted' TIMEOUT 30 SECONDS;
