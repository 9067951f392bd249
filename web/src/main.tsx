// The page: signing in first, then GraphiQL.

import "graphiql/setup-workers/vite";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/plugin-explorer/style.css";
import "graphiql/graphiql.css";
import "./style.css";

import { useCallback, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { readViewer, signOut, type Viewer } from "./api";
import { exampleTabs, type Tab } from "./examples";
import { Explore } from "./explore";
import { mayBeSignedIn, onOtherTab, startOver } from "./kept";
import { SignIn } from "./sign-in";

const ENDED = "Your session has ended: sign in again.";

/** GraphiQL once it is open, and whose it is: nobody's is "". It stays, hidden, while the same person signs in again. */
interface Opened {
  whose: string;
  tabs: Tab[];
}

function Page() {
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  // What the form says; null where there is none.
  const [told, setTold] = useState<string | null>(null);
  const known = useRef<Viewer | null>(null);

  const enter = useCallback(async (next: Viewer | null) => {
    known.current = next;
    const tabs = await exampleTabs(next);
    const whose = next?.id ?? "";
    setViewer(next);
    setOpened((before) => (before?.whose === whose ? before : { whose, tabs }));
    setTold(null);
  }, []);

  /** Show who is signed in now; the form when that is nobody, saying `gone` to those who were. */
  const look = useCallback(
    async (gone: string) => {
      try {
        const now = await readViewer();
        if (now) return await enter(now);
        setTold(gone);
      } catch (error) {
        setTold((error as Error).message);
      }
      known.current = null;
      setViewer(null);
    },
    [enter],
  );

  const onSignedOut = useCallback(() => {
    // Somebody who goes on without a session is told so by each answer. Another tab may have signed in again.
    if (known.current) void look(ENDED);
  }, [look]);

  useEffect(() => {
    void look("");
    return onOtherTab(() => (mayBeSignedIn() ? void look(ENDED) : startOver()));
  }, [look]);

  async function leave() {
    if (!viewer) return setTold("");
    // Who could not be signed out is still signed in: the page stays.
    await signOut().catch((error: Error) => alert(error.message));
  }

  return (
    <>
      {opened && (
        <main className="explore" hidden={told !== null}>
          <Explore key={opened.whose} viewer={viewer} tabs={opened.tabs} onSignedOut={onSignedOut} onLeave={leave} />
        </main>
      )}
      {told !== null && <SignIn key={told} told={told} onSignedIn={enter} onSkip={() => void enter(null)} />}
    </>
  );
}

createRoot(document.getElementById("root")!).render(<Page />);
