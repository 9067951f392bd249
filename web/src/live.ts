// Subscriptions, over a WebSocket each. When one breaks, as when the server starts again, it is opened anew, and a feed
// whose operation has a variable `after` goes on after the last event that arrived.

import type { FetcherParams, FetcherReturnType } from "@graphiql/toolkit";
import type { ExecutionResult, OperationDefinitionNode } from "graphql";
import { createClient } from "graphql-ws";
import { SOCKET } from "./api";

// Close codes of the API: from 4400 on it says why, and coming back does not help; but for those who were too slow.
const REFUSED = 4400;
const SIGNED_OUT = [4401, 4403];
const TOO_SLOW = 4470;
const LONGEST_PAUSE = 10_000;

/** What GraphiQL shows of a subscription. `headers` go into the connection's payload: a token counts there, too. */
export function follow(
  params: FetcherParams,
  operation: OperationDefinitionNode,
  headers: Record<string, unknown>,
  onSignedOut: () => void,
): FetcherReturnType {
  const resumes = operation.variableDefinitions?.some(({ variable }) => variable.name.value === "after");
  const variables: Record<string, unknown> = { ...params.variables };
  const client = createClient({
    url: SOCKET,
    connectionParams: headers,
    retryAttempts: Infinity,
    retryWait: (tries) => pause(Math.min(500 * 2 ** tries, LONGEST_PAUSE) * (1 + Math.random() / 2)),
    // A connection that cannot be made is an Event of no kind.
    shouldRetry: (problem) => !(problem instanceof CloseEvent) || problem.code < REFUSED || problem.code === TOO_SLOW,
  });

  function subscribe(sink: Sink) {
    const tell = (connection: string) => sink.next({ extensions: { connection } });
    const silence = [
      client.on("connecting", (again) => again && tell("It broke. Connecting again.")),
      client.on("connected", (_socket, _payload, again) => {
        if (again) tell(`It is back, and goes on ${resumes && variables["after"] ? "after the last event" : "from now"}.`);
      }),
    ];
    const stop = client.subscribe<Record<string, { cursor?: string } | null>>(
      { query: params.query, operationName: params.operationName, variables },
      {
        next(result) {
          const cursor = Object.values(result.data ?? {})[0]?.cursor;
          // The client sends the same object when it comes back.
          if (resumes && cursor) variables["after"] = cursor;
          sink.next(result as ExecutionResult);
        },
        error(problem) {
          if (problem instanceof CloseEvent && SIGNED_OUT.includes(problem.code) && !hasToken(headers)) onSignedOut();
          sink.error(problem instanceof CloseEvent ? closed(problem) : problem);
        },
        complete: () => sink.complete(),
      },
    );
    return {
      unsubscribe() {
        for (const one of silence) one();
        stop();
      },
    };
  }
  return { subscribe } as FetcherReturnType;
}

interface Sink {
  next(result: ExecutionResult): void;
  error(problem: unknown): void;
  complete(): void;
}

// No Error: GraphiQL would show its stack.
function closed({ code, reason }: CloseEvent): { message: string } {
  return { message: `The connection was closed (${code}): ${reason || "no reason given."}` };
}

function hasToken(headers: Record<string, unknown>): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
