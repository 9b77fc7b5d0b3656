"""What several rate sources need: the query, bodies of JSON and XML, the day of an answer, rates by way of a third currency."""
