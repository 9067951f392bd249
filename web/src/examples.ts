// The operations that wait in tabs when GraphiQL is opened for the first time, in the order of their files' names.

const FILES = import.meta.glob<string>("./examples/*.graphql", { query: "?raw", import: "default", eager: true });

export const EXAMPLES = Object.keys(FILES)
  .sort()
  .map((name) => ({ query: FILES[name]!.trim() + "\n" }));
