// GraphiQL with its plugins, the example operations, and who is signed in.

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { useMemo } from "react";
import { ENDPOINT, fetchWith, SOCKET, type Viewer } from "./api";
import { EXAMPLES } from "./examples";

const PLUGINS = [HISTORY_PLUGIN, explorerPlugin()];

interface Props {
  viewer: Viewer | null;
  onSignedOut: () => void;
  onLeave: () => void;
}

export function Explore({ viewer, onSignedOut, onLeave }: Props) {
  const fetcher = useMemo(
    () =>
      createGraphiQLFetcher({
        url: ENDPOINT,
        subscriptionUrl: SOCKET,
        fetch: fetchWith(onSignedOut),
        enableIncrementalDelivery: false,
      }),
    [onSignedOut],
  );
  return (
    <GraphiQL fetcher={fetcher} plugins={PLUGINS} defaultTabs={EXAMPLES} defaultEditorToolsVisibility>
      <GraphiQL.Logo>
        <span className="who">{viewer ? viewer.name : "Not signed in"}</span>
        <button type="button" className="leave" onClick={onLeave}>
          {viewer ? "Sign out" : "Sign in"}
        </button>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}
