// The page: signing in first, then GraphiQL.

import "graphiql/setup-workers/vite";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/plugin-explorer/style.css";
import "graphiql/graphiql.css";
import "./style.css";

import { useCallback, useState } from "react";
import { createRoot } from "react-dom/client";
import { readViewer, signOut, type Viewer } from "./api";
import { Explore } from "./explore";
import { SignIn } from "./sign-in";

function Page({ first }: { first: Viewer | null }) {
  const [viewer, setViewer] = useState(first);
  const [anonymous, setAnonymous] = useState(false);
  const [told, setTold] = useState("");

  const onSignedOut = useCallback(() => {
    // Somebody who goes on without a session is told so by each answer.
    setViewer((known) => {
      if (known) setTold("Your session has ended: sign in again.");
      return null;
    });
  }, []);

  async function leave() {
    if (viewer) await signOut();
    else setAnonymous(false);
  }

  if (viewer || anonymous) return <Explore viewer={viewer} onSignedOut={onSignedOut} onLeave={leave} />;
  return <SignIn told={told} onSignedIn={setViewer} onSkip={() => setAnonymous(true)} />;
}

createRoot(document.getElementById("root")!).render(<Page first={await readViewer()} />);
