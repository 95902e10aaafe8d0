"""Real Kafka, real Redis and real workers for the integration tests. Everything listens on loopback only."""
