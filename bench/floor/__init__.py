"""The floor: the same answers from endpoints written by hand, without GraphQL and without layers."""
