// The form that stands before GraphiQL when nobody is signed in.

import { type FormEvent, useState } from "react";
import { signIn, type Viewer } from "./api";

interface Props {
  told: string;
  onSignedIn: (viewer: Viewer) => Promise<void>;
  onSkip: () => void;
}

export function SignIn({ told, onSignedIn, onSkip }: Props) {
  const [problem, setProblem] = useState(told);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const sent = new FormData(form);
    setBusy(true);
    try {
      await onSignedIn(await signIn(String(sent.get("email")), String(sent.get("password"))));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
      form.querySelector<HTMLInputElement>("[name=password]")?.select();
    }
  }

  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <h1>Counterfoil</h1>
        <label>
          Email
          <input name="email" type="email" autoComplete="username" required autoFocus />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <p role="alert">{problem}</p>
        <button type="submit" disabled={busy}>
          Sign in
        </button>
        <button type="button" className="plain" onClick={onSkip}>
          Go on without signing in
        </button>
      </form>
    </main>
  );
}
