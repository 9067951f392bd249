// Apollo Client: signing in, cache, automatic persisted queries, files, errors, and a live feed over graphql-ws.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client/core";
import { SetContextLink } from "@apollo/client/link/context";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import UploadHttpLink from "apollo-upload-client/UploadHttpLink.mjs";
import {
  CREATE, CUSTOMER, FEED, INVALID, SIGN_IN, UPLOAD, VIEWER, email, fromNow, happens, password, socketUrl, url,
} from "./served.mjs";

let token = null;
const sent = [];

/** What goes over the wire, to see that documents are sent once. */
async function watched(address, init) {
  const response = await fetch(address, init);
  sent.push({ method: init.method, address, body: init.body, status: response.status });
  return response;
}

const authorized = () => (token ? { authorization: `Bearer ${token}` } : {});

function client(http) {
  const signed = new SetContextLink(({ headers }) => ({ headers: { ...headers, ...authorized() } }));
  const socket = createClient({ url: socketUrl, connectionParams: authorized, retryAttempts: 0 });
  const link = ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    signed.concat(http),
  );
  return new ApolloClient({ cache: new InMemoryCache(), link });
}

const apollo = client(new HttpLink({ uri: url, fetch: watched }));

test("it signs in", async () => {
  await assert.rejects(apollo.query({ query: gql(VIEWER) }), (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), error);
    assert.equal(error.errors[0].extensions.code, "UNAUTHENTICATED");
    return true;
  });
  const { data } = await apollo.mutate({ mutation: gql(SIGN_IN), variables: { input: { email, password } } });
  token = data.signIn.token;
  assert.equal((await apollo.query({ query: gql(VIEWER) })).data.viewer.user.email, email);
});

test("queries with variables, mutations, and what is expected to go wrong", async () => {
  const created = await apollo.mutate({ mutation: gql(CREATE), variables: { input: { name: "By Apollo" } } });
  const { customer } = created.data.createCustomer;
  const { data } = await apollo.query({ query: gql(CUSTOMER), variables: { id: customer.id } });
  assert.equal(data.customer.name, "By Apollo");
  assert.equal(data.customer.history.edges[0].node.sentence, "Administrator added customer By Apollo.");
  const refused = await apollo.mutate({ mutation: gql(CREATE), variables: { input: { name: "" } } });
  const [error] = refused.data.createCustomer.errors;
  assert.deepEqual([error.code, error.field], ["INVALID", ["input", "name"]]);
});

test("errors of the document arrive as GraphQL errors, not as a failed request", async () => {
  await assert.rejects(apollo.query({ query: gql(INVALID) }), (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), error);
    assert.match(error.message, /Cannot query field 'nonsense'/);
    return true;
  });
  assert.equal(sent.at(-1).status, 422);
});

test("beside data, errors leave what was found", async () => {
  const query = gql('query Partly { viewer { user { email } } customer(id: "nonsense") { name } }');
  const { data, error } = await apollo.query({ query, errorPolicy: "all" });
  assert.equal(data.viewer.user.email, email);
  assert.equal(error?.errors?.[0]?.path?.[0], "customer");
  assert.equal(sent.at(-1).status, 294);
});

test("a feed receives what happens, until it is left", async () => {
  const seen = [];
  const feed = apollo.subscribe({ query: gql(FEED), variables: await fromNow() });
  let subscription;
  const first = new Promise((resolve, reject) => {
    subscription = feed.subscribe({
      next: ({ data, error }) => {
        if (error) return reject(error);
        seen.push(data.historyFeed.event.seq);
        resolve();
      },
      error: reject,
    });
  });
  const seq = await happens("Seen by Apollo");
  await first;
  subscription.unsubscribe();
  await happens("Not seen by Apollo");
  assert.deepEqual(seen, [seq]);
});

test("a feed that is not valid fails with its errors", async () => {
  const invalid = apollo.subscribe({ query: gql("subscription Invalid { historyFeed { nonsense } }") });
  const failed = await new Promise((resolve, reject) => {
    invalid.subscribe({ next: ({ error }) => resolve(error), error: resolve, complete: reject });
  });
  assert.ok(CombinedGraphQLErrors.is(failed), failed);
  assert.match(failed.message, /Cannot query field 'nonsense'/);
});

test("automatic persisted queries: a document is sent once, by GET afterwards", async () => {
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries: true });
  const known = client(persisted.concat(new HttpLink({ uri: url, fetch: watched })));
  const options = { query: gql(`query Known${process.pid} { viewer { user { name } } }`), fetchPolicy: "network-only" };
  sent.length = 0;
  for (let times = 0; times < 2; times += 1) {
    assert.equal((await known.query(options)).data.viewer.user.name, "Administrator");
  }
  assert.deepEqual(
    sent.map(({ method, status, address, body }) => [method, status, `${address}${body ?? ""}`.includes("viewer")]),
    [["GET", 422, false], ["POST", 200, true], ["GET", 200, false]],
  );
});

test("files, with the header Counterfoil-Upload", async () => {
  const uploads = client(new UploadHttpLink({ uri: url, headers: { "Counterfoil-Upload": "1" } }));
  const created = await uploads.mutate({ mutation: gql(CREATE), variables: { input: { name: "With a file" } } });
  const file = new File(["Terms: 30 days\n"], "terms.txt", { type: "text/plain" });
  const input = { customerId: created.data.createCustomer.customer.id, file };
  const { data } = await uploads.mutate({ mutation: gql(UPLOAD), variables: { input } });
  assert.deepEqual(data.uploadDocument.errors, []);
  const { name, downloadUrl } = data.uploadDocument.document;
  assert.equal(name, "terms.txt");
  assert.equal(await (await fetch(new URL(downloadUrl, url))).text(), "Terms: 30 days\n");
});
