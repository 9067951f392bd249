// The API as this page uses it: the session is in a cookie that no script can read, so each request says with a header
// that a script of this page has sent it.

export const ENDPOINT = location.pathname;
export const SOCKET = socketAddress();

const HEADERS = { "Counterfoil-Csrf": "1" };

export interface Viewer {
  name: string;
}

interface UserError {
  message: string;
}

interface Answer<Data> {
  data?: Data;
  errors?: UserError[];
}

const VIEWER = "query Viewer { viewer { actor { name } } }";
const SIGN_IN = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) { viewer { actor { name } } errors { message } }
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

// Scripts cannot see the cookie: this remembers that there may be one.
const SIGNED_IN = "counterfoil:signed-in";

/** Who is signed in by the cookie; null for nobody. */
export async function readViewer(): Promise<Viewer | null> {
  if (!localStorage.getItem(SIGNED_IN)) return null;
  const { data } = await ask<{ viewer: { actor: Viewer } }>(VIEWER);
  return data?.viewer.actor ?? null;
}

/** Sign in; an Error with what to tell the person when it fails. */
export async function signIn(email: string, password: string): Promise<Viewer> {
  type Signed = { signIn: { viewer: { actor: Viewer } | null; errors: UserError[] } | null };
  const { data, errors } = await ask<Signed>(SIGN_IN, { input: { email, password } }, { "Counterfoil-Session": "cookie" });
  const viewer = data?.signIn?.viewer?.actor;
  if (viewer) {
    localStorage.setItem(SIGNED_IN, "1");
    return viewer;
  }
  throw new Error([...(data?.signIn?.errors ?? []), ...(errors ?? [])].map((error) => error.message).join(" "));
}

/** Sign out, and begin again. What GraphiQL has kept on this machine may hold what the session could see: it goes, too. */
export async function signOut(): Promise<void> {
  await ask(SIGN_OUT);
  // Not before the page goes: GraphiQL writes its tabs half a second late.
  addEventListener("pagehide", forget);
  location.reload();
}

function forget(): void {
  for (const name of Object.keys(localStorage)) {
    if (name !== "graphiql:theme") localStorage.removeItem(name);
  }
}

async function ask<Data>(query: string, variables = {}, headers = {}): Promise<Answer<Data>> {
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: { ...HEADERS, ...headers, "Content-Type": "application/json", Accept: "application/graphql-response+json" },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}
