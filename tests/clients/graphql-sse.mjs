// graphql-sse: operations and a live feed as event streams, refusals, and a connection that breaks off.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "graphql-sse";
import {
  CREATE, CUSTOMER, FEED, INVALID, SIGN_IN, VIEWER, authorization, breakable, breaksOff, email, fromNow, password, url,
} from "./served.mjs";

async function only(client, query, variables) {
  const results = [];
  for await (const result of client.iterate({ query, variables })) results.push(result);
  assert.equal(results.length, 1);
  return results[0];
}

test("it signs in", async () => {
  const client = createClient({ url, retryAttempts: 0 });
  const { data } = await only(client, SIGN_IN, { input: { email, password } });
  const later = createClient({ url, headers: { Authorization: `Bearer ${data.signIn.token}` }, retryAttempts: 0 });
  assert.equal((await only(later, VIEWER)).data.viewer.user.email, email);
});

test("queries, mutations and feeds are streams that end", async () => {
  const client = createClient({ url, headers: authorization, retryAttempts: 0 });
  const feed = client.iterate({ query: FEED, variables: await fromNow() });
  const created = await only(client, CREATE, { input: { name: "Over a stream" } });
  const { customer, events } = created.data.createCustomer;
  const { value } = await feed.next();
  assert.deepEqual(value.data.historyFeed.event, events[0]);
  await feed.return();

  const found = await only(client, CUSTOMER, { id: customer.id });
  assert.equal(found.data.customer.name, "Over a stream");
  const refused = await only(client, CREATE, { input: { name: "" } });
  const [error] = refused.data.createCustomer.errors;
  assert.deepEqual([error.code, error.field], ["INVALID", ["input", "name"]]);
});

test("errors of the document, and of who asks, are results without data", async () => {
  const known = createClient({ url, headers: authorization, retryAttempts: 0 });
  const invalid = await only(known, INVALID);
  assert.deepEqual(Object.keys(invalid), ["errors"]);
  assert.match(invalid.errors[0].message, /Cannot query field 'nonsense'/);
  const unknown = createClient({ url, retryAttempts: 0 });
  for (const query of [VIEWER, FEED]) {
    const { errors } = await only(unknown, query);
    assert.equal(errors[0].extensions.code, "UNAUTHENTICATED");
  }
});

test("feeds that are left give their place back", async () => {
  // Of places for streams there are fewer than this.
  const client = createClient({ url, headers: authorization, retryAttempts: 0 });
  const { filter } = await fromNow();
  for (let number = 0; number < 20; number += 1) {
    const feed = client.iterate({ query: FEED, variables: { filter } });
    assert.equal((await feed.next()).value.errors, undefined);
    await feed.return();
  }
});

test("a feed whose connection breaks off goes on after its cursor and misses nothing", async () => {
  const between = await breakable();
  const { url } = between;
  const client = createClient({
    url,
    headers: authorization,
    retryAttempts: 100,
    retry: async () => {},
  });
  let connections = 0;
  const connected = () => (connections += 1);
  await breaksOff((request, sink) => client.subscribe(request, sink, { connected }), between, 5);
  assert.ok(connections > 5, `${connections} connections`);
  client.dispose();
  between.close();
});
