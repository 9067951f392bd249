// GraphiQL with its plugins, the example operations, and who is signed in.

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { getOperationAST } from "graphql";
import { useMemo } from "react";
import { ENDPOINT, fetchWith, type Viewer } from "./api";
import type { Tab } from "./examples";
import { STORAGE } from "./kept";
import { follow } from "./live";

const PLUGINS = [HISTORY_PLUGIN, explorerPlugin()];

interface Props {
  viewer: Viewer | null;
  tabs: Tab[];
  onSignedOut: () => void;
  onLeave: () => void;
}

export function Explore({ viewer, tabs, onSignedOut, onLeave }: Props) {
  const fetcher = useMemo(() => fetcherFor(onSignedOut), [onSignedOut]);
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={PLUGINS}
      defaultTabs={tabs}
      defaultEditorToolsVisibility
      storage={STORAGE}
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <span className="who">{viewer ? viewer.name : "Not signed in"}</span>
        <button type="button" className="leave" onClick={onLeave}>
          {viewer ? "Sign out" : "Sign in"}
        </button>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

function fetcherFor(onSignedOut: () => void): Fetcher {
  const send = createGraphiQLFetcher({ url: ENDPOINT, fetch: fetchWith(onSignedOut), enableIncrementalDelivery: false });
  return (params, { headers = {}, documentAST } = {}) => {
    const operation = documentAST && getOperationAST(documentAST, params.operationName);
    if (operation?.operation === "subscription") return follow(params, operation, headers, onSignedOut);
    return send(params, { headers, documentAST });
  };
}
