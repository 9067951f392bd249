// urql: a session in a cookie, as a front end on the same site has it, with feeds as event streams, and files.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, cacheExchange, fetchExchange } from "@urql/core";
import { CREATE, CUSTOMER, FEED, INVALID, SIGN_IN, UPLOAD, VIEWER, email, fromNow, happens, password, url } from "./served.mjs";

// What a browser does with cookies, for one site; Node's fetch has none.
const jar = new Map();
async function browse(address, init) {
  const headers = new Headers(init.headers);
  if (jar.size) headers.set("cookie", [...jar].map((pair) => pair.join("=")).join("; "));
  headers.set("sec-fetch-site", "same-origin");
  const response = await fetch(address, { ...init, headers });
  for (const cookie of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
    if (/max-age=0/i.test(cookie)) jar.delete(name);
    else jar.set(name, value);
  }
  return response;
}

const urql = new Client({
  url,
  fetch: browse,
  fetchOptions: { headers: { "Counterfoil-Csrf": "1" } },
  fetchSubscriptions: true,
  exchanges: [cacheExchange, fetchExchange],
});

test("it signs in, with a cookie and no token", async () => {
  const unknown = await urql.query(VIEWER, {});
  assert.equal(unknown.error.graphQLErrors[0].extensions.code, "UNAUTHENTICATED");
  assert.equal(unknown.error.response.status, 401);
  const fetchOptions = { headers: { "Counterfoil-Csrf": "1", "Counterfoil-Session": "cookie" } };
  const { data } = await urql.mutation(SIGN_IN, { input: { email, password } }, { fetchOptions });
  assert.deepEqual(data.signIn.errors, []);
  assert.equal(data.signIn.token, null);
  assert.equal((await urql.query(VIEWER, {}, { requestPolicy: "network-only" })).data.viewer.user.email, email);
});

test("without the header Counterfoil-Csrf the cookie counts for GET only", async () => {
  const bare = { requestPolicy: "network-only", fetchOptions: {} };
  const read = await urql.query(VIEWER, {}, { ...bare, preferGetMethod: "force" });
  assert.equal(read.operation.context.preferGetMethod, "force");
  assert.equal(read.data.viewer.user.email, email);
  const refused = [
    await urql.query(VIEWER, {}, { ...bare, preferGetMethod: false }),
    await urql.mutation(CREATE, { input: { name: "Without the header" } }, bare),
  ];
  for (const { data, error } of refused) {
    assert.equal(data, undefined);
    assert.equal(error.response.status, 403);
    assert.equal(error.graphQLErrors[0].extensions.code, "CSRF");
  }
});

test("queries with variables, mutations, and what is expected to go wrong", async () => {
  const created = await urql.mutation(CREATE, { input: { name: "By urql" } });
  const { customer } = created.data.createCustomer;
  const { data } = await urql.query(CUSTOMER, { id: customer.id });
  assert.equal(data.customer.name, "By urql");
  const refused = await urql.mutation(CREATE, { input: { name: "" } });
  assert.equal(refused.error, undefined);
  const [error] = refused.data.createCustomer.errors;
  assert.deepEqual([error.code, error.field], ["INVALID", ["input", "name"]]);
});

test("errors of the document arrive as GraphQL errors, not as a network error", async () => {
  const { data, error } = await urql.query(INVALID, {});
  assert.equal(data, undefined);
  assert.equal(error.networkError, undefined);
  assert.match(error.message, /Cannot query field 'nonsense'/);
});

test("a feed receives what happens, until it is left", async () => {
  const seen = [];
  const variables = await fromNow();
  let subscription;
  const first = new Promise((resolve, reject) => {
    subscription = urql.subscription(FEED, variables).subscribe(({ data, error }) => {
      if (error) return reject(error);
      seen.push(data.historyFeed.event.seq);
      resolve();
    });
  });
  const seq = await happens("Seen by urql");
  await first;
  subscription.unsubscribe();
  await happens("Not seen by urql");
  assert.deepEqual(seen, [seq]);
});

test("files, with the header Counterfoil-Upload", async () => {
  const created = await urql.mutation(CREATE, { input: { name: "With a file of urql" } });
  const file = new File(["Terms: 14 days\n"], "terms.txt", { type: "text/plain" });
  const input = { customerId: created.data.createCustomer.customer.id, file };
  const fetchOptions = { headers: { "Counterfoil-Upload": "1" } };
  const { data, error } = await urql.mutation(UPLOAD, { input }, { fetchOptions });
  assert.equal(error, undefined);
  assert.deepEqual(data.uploadDocument.errors, []);
  assert.equal(data.uploadDocument.document.name, "terms.txt");
});

test("it signs out, and the cookie goes", async () => {
  const { data } = await urql.mutation("mutation SignOut { signOut { errors { code } } }", {});
  assert.deepEqual(data.signOut.errors, []);
  assert.equal(jar.size, 0);
});
