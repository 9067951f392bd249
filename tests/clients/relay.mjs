// What Relay's compiler has made of relay/profile.js and schema.graphql: trusted documents, named by their hash.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "graphql-ws";
import { CREATE, authorization, fromNow, happens, post, socketUrl, url } from "./served.mjs";
import create from "./relay/__generated__/profileCreateMutation.graphql.js";
import feed from "./relay/__generated__/profileFeedSubscription.graphql.js";
import list from "./relay/__generated__/profileListPaginationQuery.graphql.js";
import pagination from "./relay/__generated__/profilePaginationQuery.graphql.js";
import profile from "./relay/__generated__/profileQuery.graphql.js";

/** What a Relay environment has as its network: the compiler has left the documents' hashes only. */
async function fetchQuery({ params }, variables, headers) {
  assert.equal(params.text, null);
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(headers ?? (await authorization())) },
    body: JSON.stringify({ documentId: `sha256:${params.id}`, variables }),
  });
  return await response.json();
}

const customer = (await post(CREATE, { input: { name: "For Relay" } }, await authorization())).body.data.createCustomer.customer;

test("a mutation with a fragment, and what is expected to go wrong", async () => {
  for (const [firstName, lastName] of [["Ada", "Adams"], ["Ben", "Brown"], ["Cleo", "Clark"]]) {
    const { data, errors } = await fetchQuery(create, { input: { customerId: customer.id, firstName, lastName } });
    assert.equal(errors, undefined);
    const { id, ...contact } = data.createContact.contact;
    assert.match(id, /^con_/);
    assert.deepEqual(contact, { firstName, lastName });
  }
  const { data } = await fetchQuery(create, { input: { customerId: customer.id, firstName: "x".repeat(101) } });
  assert.equal(data.createContact.contact, null);
  assert.deepEqual(data.createContact.errors, [{ code: "INVALID", field: ["input", "firstName"] }]);
});

test("a connection of a node, page by page", async () => {
  const first = await fetchQuery(profile, { id: customer.id, count: 2 });
  assert.equal(first.data.node.__typename, "Customer");
  assert.equal(first.data.node.contacts.totalCount, 3);
  const { contacts } = first.data.node;
  const second = await fetchQuery(pagination, { id: customer.id, count: 2, cursor: contacts.pageInfo.endCursor });
  const names = [...contacts.edges, ...second.data.node.contacts.edges].map(({ node }) => node.firstName);
  assert.deepEqual(names.sort(), ["Ada", "Ben", "Cleo"]);
  assert.deepEqual(
    [contacts.pageInfo.hasNextPage, second.data.node.contacts.pageInfo.hasNextPage],
    [true, false],
  );
});

test("a connection at the root, with a filter", async () => {
  const { data } = await fetchQuery(list, { count: 5, search: "For Relay" });
  assert.deepEqual(data.customers.edges.map(({ node }) => node.id), [customer.id]);
});

test("a feed", async () => {
  const client = createClient({ url: socketUrl, connectionParams: authorization, retryAttempts: 0 });
  // graphql-ws sends nothing without a `query`.
  const request = { query: "", documentId: `sha256:${feed.params.id}`, variables: await fromNow() };
  const results = client.iterate(request);
  await happens("Seen by Relay");
  const { value } = await results.next();
  assert.equal(value.data.historyFeed.event.sentence, "Administrator added customer Seen by Relay.");
  await results.return();
});

test("errors of who asks, and of a document that the server does not know", async () => {
  const unknown = await fetchQuery(profile, { id: customer.id, count: 1 }, {});
  assert.equal(unknown.errors[0].extensions.code, "UNAUTHENTICATED");
  const stranger = await fetchQuery({ params: { id: "0".repeat(64), text: null } }, {});
  assert.equal(stranger.errors[0].extensions.code, "DOCUMENT_NOT_FOUND");
});
