"""What the API does: queries and mutations, a module per subject."""
