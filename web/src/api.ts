// The API as this page uses it: the session is in a cookie that no script can read, so each request says with a header
// that a script of this page has sent it.

import { mayBeSignedIn, remember, startOver } from "./kept";

export const ENDPOINT = location.pathname;
export const SOCKET = socketAddress();

const HEADERS = { "Counterfoil-Csrf": "1" };

export interface Viewer {
  id: string;
  name: string;
  permissions: string[];
}

interface UserError {
  message: string;
  extensions?: { code?: string };
}

interface Answer<Data> {
  data?: Data;
  errors?: UserError[];
}

interface ViewerData {
  actor: { id: string; name: string };
  permissions: string[];
}

const FIELDS = "actor { id name } permissions";
const VIEWER = `query Viewer { viewer { ${FIELDS} } }`;
const SIGN_IN = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) { viewer { ${FIELDS} } errors { message } }
}`;
const SIGN_OUT = "mutation SignOut { signOut { errors { message } } }";

function socketAddress(): string {
  const address = new URL(location.pathname, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  return address.href;
}

/** fetch with the headers that the cookie needs; `onSignedOut` when it turns out that the session has ended. */
export function fetchWith(onSignedOut: () => void): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
    const response = await fetch(input, { ...init, headers });
    // Who sends a token of their own in the headers editor has not been signed out here.
    if (response.status === 401 && !headers.has("Authorization")) onSignedOut();
    return response;
  };
}

/** Who is signed in by the cookie; null for nobody. An Error when the server does not say. */
export async function readViewer(): Promise<Viewer | null> {
  if (!mayBeSignedIn()) return null;
  const answer = await ask<{ viewer: ViewerData }>(VIEWER);
  if (answer.data) return viewerOf(answer.data.viewer);
  if (isSignedOut(answer)) return null;
  throw new Error(textOf(answer.errors));
}

/** Sign in; an Error with what to tell the person when it fails. */
export async function signIn(email: string, password: string): Promise<Viewer> {
  type Signed = { signIn: { viewer: ViewerData | null; errors: UserError[] } | null };
  const { data, errors } = await ask<Signed>(SIGN_IN, { input: { email, password } }, { "Counterfoil-Session": "cookie" });
  if (data?.signIn?.viewer) {
    const viewer = viewerOf(data.signIn.viewer);
    remember(viewer.id);
    return viewer;
  }
  throw new Error(textOf(data?.signIn?.errors, errors));
}

function textOf(...errors: (UserError[] | undefined)[]): string {
  return errors.flatMap((some) => some ?? []).map((error) => error.message).join(" ");
}

function isSignedOut({ errors }: Answer<unknown>): boolean {
  return (errors ?? []).some((error) => error.extensions?.code === "UNAUTHENTICATED");
}

function viewerOf({ actor, permissions }: ViewerData): Viewer {
  return { ...actor, permissions };
}

/** Sign out, and begin again: what GraphiQL has kept on this machine goes, too. An Error when the session goes on. */
export async function signOut(): Promise<void> {
  const answer = await ask<{ signOut: { errors: UserError[] } | null }>(SIGN_OUT);
  const told = textOf(answer.data?.signOut?.errors, answer.errors);
  if (told && !isSignedOut(answer)) throw new Error(told);
  startOver();
}

/** The answer to an operation; an Error with what to tell the person when there is none. */
export async function ask<Data>(query: string, variables = {}, headers = {}): Promise<Answer<Data>> {
  try {
    const response = await fetch(ENDPOINT, {
      method: "POST",
      headers: { ...HEADERS, ...headers, "Content-Type": "application/json", Accept: "application/graphql-response+json" },
      body: JSON.stringify({ query, variables }),
    });
    return await response.json();
  } catch (cause) {
    throw new Error("The server does not answer. Try again in a moment.", { cause });
  }
}
