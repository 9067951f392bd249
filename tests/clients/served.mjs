// The server that tests/clients/conftest.py has started, and the operations that every client runs against it.
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";

export const { URL: url, EMAIL: email, PASSWORD: password } = process.env;
export const socketUrl = url.replace("http", "ws");

export const SIGN_IN = `
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) { token errors { code message } }
  }`;
export const CREATE = `
  mutation Create($input: CreateCustomerInput!) {
    createCustomer(input: $input) {
      customer { id name revision }
      events { seq sentence }
      errors { code field message }
    }
  }`;
export const CUSTOMER = `
  query Customer($id: ID!, $events: Int = 5) {
    customer(id: $id) { id name history(first: $events) { edges { node { sentence } } } }
  }`;
export const UPLOAD = `
  mutation Upload($input: UploadDocumentInput!) {
    uploadDocument(input: $input) { document { id name size downloadUrl } errors { code message } }
  }`;
export const INVALID = "query Invalid { customers { nonsense } }";
export const VIEWER = "query Viewer { viewer { user { email } } }";
export const FEED = `
  subscription Feed($after: String, $filter: HistoryFilter) {
    historyFeed(after: $after, filter: $filter) { cursor event { seq sentence } }
  }`;
const LAST = `
  query Last($filter: HistoryFilter) {
    history(first: 1, filter: $filter) { edges { cursor node { seq } } }
  }`;
// Where there is no event yet, the feed begins at `from`.
const filter = { actions: ["CUSTOMER_CREATED"], from: "1970-01-01T00:00:00Z" };

/** What any HTTP client gets: the response, and its body. */
export async function post(query, variables, headers = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return { response, body: await response.json() };
}

/** The headers of a new session. */
export async function signIn() {
  const { body } = await post(SIGN_IN, { input: { email, password } });
  return { Authorization: `Bearer ${body.data.signIn.token}` };
}

let signedIn;

/** The headers of a session that all share. */
export function authorization() {
  signedIn ??= signIn();
  return signedIn;
}

/** Variables of a feed that begins after what has happened already, so that nothing depends on who is faster. */
export async function fromNow() {
  const { body } = await post(LAST, { filter }, await authorization());
  return { after: body.data.history.edges[0]?.cursor, filter };
}

/** Add a customer as somebody else would; the number of the event that it left. */
export async function happens(name) {
  const { body } = await post(CREATE, { input: { name } }, await authorization());
  assert.deepEqual(body.data.createCustomer.errors, []);
  return body.data.createCustomer.events[0].seq;
}

/** A connection to the server that can be cut: `url` goes through it, `cut()` breaks off all that is open. */
export async function breakable() {
  const open = new Set();
  const { hostname, port } = new URL(url);
  const between = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.on("error", () => {}); // it is broken off on purpose
      one.on("close", () => (open.delete(one), other.destroy()));
      one.pipe(other);
    }
  });
  await new Promise((ready) => between.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${between.address().port}/graphql`,
    cut: () => open.forEach((socket) => socket.destroy()),
    close: () => (between.close(), open.forEach((socket) => socket.destroy())),
  };
}

/** Wait until it is so; the test's own timeout ends what never is. */
export async function until(isSo) {
  while (!isSo()) await new Promise((done) => setTimeout(done, 5));
}

/** A feed that is cut again and again while events happen: each of them arrives once, in order. */
export async function breaksOff(subscribe, between, cuts) {
  const happened = [];
  const received = [];
  const failures = [];
  const variables = await fromNow();
  const leave = subscribe({ query: FEED, variables }, {
    next({ data, errors }) {
      if (errors) return failures.push(...errors);
      const { cursor, event } = data.historyFeed;
      // The variables are written anew for each connection.
      variables.after = cursor;
      received.push(event.seq);
    },
    error: (error) => failures.push(error),
    complete() {},
  });
  for (let round = 0; round < cuts; round += 1) {
    const before = received.length;
    happened.push(await happens("One that arrives"));
    await until(() => received.length > before || failures.length);
    happened.push(await happens("One on its way"));
    between.cut();
    happened.push(await happens("One that nobody listens to"));
  }
  await until(() => received.length >= happened.length || failures.length);
  leave();
  assert.deepEqual(failures, []);
  assert.deepEqual(received, happened);
}
