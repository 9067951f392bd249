"""What the product decides and does; no SQL, no GraphQL."""
