// The operations that wait in tabs when GraphiQL is opened for the first time, in the order of their files' names.

import { ask, type Viewer } from "./api";
import { hasTabs } from "./kept";

export interface Tab {
  query: string;
  variables: string;
}

const FILES = import.meta.glob<string>("./examples/*.graphql", { query: "?raw", import: "default", eager: true });

const INVOICE = `query Invoice {
  found: salesDocuments(first: 1, filter: { kind: INVOICE, open: true }) { edges { node { id customer { id } } } }
}`;
const CUSTOMER = "query Customer { found: customers(first: 1) { edges { node { id } } } }";

interface Found {
  id: string;
  customer: { id: string };
}

/** The tabs, with variables that fit what the viewer can see: an open invoice, its customer, tomorrow. */
export async function exampleTabs(viewer: Viewer | null): Promise<Tab[]> {
  const found = viewer && !hasTabs() ? await find(viewer) : {};
  const values = { customerId: "", salesDocumentId: "", ...found, day: tomorrow() };
  return Object.keys(FILES)
    .sort()
    .map((name) => tab(FILES[name]!.trim() + "\n", values));
}

function tomorrow(): string {
  return new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
}

async function find({ permissions }: Viewer): Promise<Record<string, string>> {
  const invoice = permissions.includes("SALES_DOCUMENTS_READ") && (await first(INVOICE));
  if (invoice) return { customerId: invoice.customer.id, salesDocumentId: invoice.id };
  const customer = permissions.includes("CUSTOMERS_READ") && (await first(CUSTOMER));
  return customer ? { customerId: customer.id } : {};
}

async function first(query: string): Promise<Found | undefined> {
  const { data } = await ask<{ found: { edges: { node: Found }[] } }>(query);
  return data?.found.edges[0]?.node;
}

function tab(query: string, values: Record<string, string>): Tab {
  const used = Object.entries(values).filter(([name]) => query.includes(`$${name}:`));
  return { query, variables: used.length ? JSON.stringify(Object.fromEntries(used), null, 2) : "" };
}
