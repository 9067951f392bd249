// graphql-ws: operations and a live feed over one WebSocket, refusals, and a connection that breaks off.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "graphql-ws";
import {
  CREATE, CUSTOMER, FEED, INVALID, VIEWER, authorization, breakable, breaksOff, email, fromNow, happens, post, signIn,
  socketUrl, until,
} from "./served.mjs";

// At once in one socket: MAX_OPERATIONS in counterfoil/door/socket.py.
const MOST_OPERATIONS = 20;

async function only(client, query, variables) {
  const results = [];
  for await (const result of client.iterate({ query, variables })) results.push(result);
  assert.equal(results.length, 1);
  return results[0];
}

test("queries, mutations and feeds share a socket, and it closes by itself", async () => {
  const closed = [];
  let opened = 0;
  const client = createClient({
    url: socketUrl,
    connectionParams: authorization,
    retryAttempts: 0,
    on: { opened: () => (opened += 1), closed: (event) => closed.push([event.code, event.wasClean]) },
  });
  const feed = client.iterate({ query: FEED, variables: await fromNow() });
  const created = await only(client, CREATE, { input: { name: "Over a socket" } });
  const { customer, events } = created.data.createCustomer;
  const { value } = await feed.next();
  assert.deepEqual(value.data.historyFeed.event, events[0]);

  const found = await only(client, CUSTOMER, { id: customer.id });
  assert.equal(found.data.customer.name, "Over a socket");
  const refused = await only(client, CREATE, { input: { name: "" } });
  const [error] = refused.data.createCustomer.errors;
  assert.deepEqual([error.code, error.field], ["INVALID", ["input", "name"]]);

  await feed.return();
  assert.deepEqual(await feed.next(), { done: true, value: undefined });
  assert.equal(opened, 1);
  // Lazy as it is, the client closes a socket that nothing runs on.
  await until(() => closed.length > 0);
  assert.deepEqual(closed, [[1000, true]]);
});

test("a document that is not valid ends its operation and nothing else", async () => {
  const client = createClient({ url: socketUrl, connectionParams: authorization, retryAttempts: 0, lazy: false, onNonLazyError: assert.fail });
  await assert.rejects(only(client, INVALID), (errors) => {
    assert.equal(errors[0].extensions.code, "BAD_REQUEST");
    assert.match(errors[0].message, /Cannot query field 'nonsense'/);
    return true;
  });
  assert.equal((await only(client, VIEWER)).data.viewer.user.email, email);
  await client.dispose();
});

test("feeds that are left give their place in the socket back", async () => {
  const options = { url: socketUrl, connectionParams: authorization, retryAttempts: 0 };
  const client = createClient({ ...options, lazyCloseTimeout: 1000 });
  const { filter } = await fromNow();
  for (let number = 0; number < MOST_OPERATIONS + 5; number += 1) {
    const feed = client.iterate({ query: FEED, variables: { filter } });
    assert.equal((await feed.next()).value.errors, undefined);
    await feed.return();
  }
  await client.dispose();
});

test("who is not known gets close code 4403", async () => {
  for (const connectionParams of [undefined, { Authorization: "Bearer wrong" }]) {
    const client = createClient({ url: socketUrl, connectionParams, retryAttempts: 0 });
    await assert.rejects(only(client, VIEWER), { code: 4403, reason: "Forbidden" });
  }
});

test("a session that ends closes the socket with 4401, which the client takes as final", async () => {
  const session = await signIn();
  const client = createClient({ url: socketUrl, connectionParams: session });
  const feed = client.iterate({ query: FEED, variables: await fromNow() });
  await happens("Before the session ends");
  await feed.next();
  await post("mutation { signOut { errors { code } } }", {}, session);
  await happens("After the session has ended");
  await assert.rejects(feed.next(), { code: 4401 });
});

test("a feed whose connection breaks off goes on after its cursor and misses nothing", async () => {
  const between = await breakable();
  const url = between.url.replace("http", "ws");
  const client = createClient({
    url,
    connectionParams: authorization,
    retryAttempts: 100,
    shouldRetry: () => true,
    retryWait: async () => {},
  });
  let connections = 0;
  client.on("connected", () => (connections += 1));
  await breaksOff(client.subscribe, between, 5);
  assert.ok(connections > 5, `${connections} connections`);
  await client.dispose();
  between.close();
});
