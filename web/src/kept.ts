// What stays in this browser: whose page it is, and GraphiQL's tabs and history. Scripts cannot see the cookie, so this
// remembers that there may be one.

const SIGNED_IN = "counterfoil:signed-in";
const THEME = "graphiql:theme";
// GraphiQL leaves headers out of what it keeps of its tabs, but not out of these.
const WITH_HEADERS = ["graphiql:queries", "graphiql:favorites"];

/** GraphiQL's storage: localStorage, but without headers. They may be secrets. */
export const STORAGE = {
  getItem: (name: string) => localStorage.getItem(name),
  setItem: (name: string, value: string) => localStorage.setItem(name, withoutHeaders(name, value)),
  removeItem: (name: string) => localStorage.removeItem(name),
  clear: () => names().forEach((name) => localStorage.removeItem(name)),
  get length() {
    return names().length;
  },
};

/** Whether somebody has signed in here, and not out. */
export function mayBeSignedIn(): boolean {
  return localStorage.getItem(SIGNED_IN) !== null;
}

/** Whether GraphiQL has tabs from before. */
export function hasTabs(): boolean {
  return localStorage.getItem("graphiql:tabState") !== null;
}

/** Remember who signs in. Of somebody else before them nothing stays: queries may hold what their session could see. */
export function remember(id: string): void {
  const [before] = (localStorage.getItem(SIGNED_IN) ?? "").split(" ");
  if (before && before !== id) forget();
  // Never the same twice: other tabs are told of changes only.
  localStorage.setItem(SIGNED_IN, `${id} ${Date.now()}`);
}

/** Begin again with nothing kept but the theme. */
export function startOver(): void {
  // Not before the page goes: GraphiQL writes its tabs half a second late.
  addEventListener("pagehide", forget);
  location.reload();
}

/** Call this when another tab signs in or out. */
export function onOtherTab(call: () => void): () => void {
  const told = ({ key }: StorageEvent) => {
    if (key === SIGNED_IN || key === null) call();
  };
  addEventListener("storage", told);
  return () => removeEventListener("storage", told);
}

function forget(): void {
  STORAGE.clear();
  localStorage.removeItem(SIGNED_IN);
}

function names(): string[] {
  return Object.keys(localStorage).filter((name) => name.startsWith("graphiql:") && name !== THEME);
}

function withoutHeaders(name: string, value: string): string {
  if (!WITH_HEADERS.includes(name)) return value;
  return JSON.stringify(JSON.parse(value, (key, part) => (key === "headers" ? undefined : part)));
}
