"""Plain Strawberry with data loaders, as its documentation teaches."""
