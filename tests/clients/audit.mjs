// The audit of graphql-http, whose rules are those of drafts before the edition of September 2026. Where the edition
// says otherwise, the audit must differ, in the way that stands here; everywhere else it must be content.
import assert from "node:assert/strict";
import { test } from "node:test";
import { serverAudits } from "graphql-http";
import { url } from "./served.mjs";

// docs/decisions/0024 has the reasons at length.
const DIFFERENCES = [
  {
    reason: "whoever names no type gets the edition's own, application/graphql-response+json",
    found: ["warn", /^Response header content-type does not contain application\/json$/],
    audits: ["47DE", "80D8"],
  },
  {
    reason: "whoever accepts application/json gets the status codes of all others; drafts had 200 for failures",
    found: ["warn", /^Response status code is not 200$/],
    audits: ["572B", "FDE2", "7B9B"],
  },
  {
    reason: "422 is the edition's code for variables that cannot be coerced; 400 is for what cannot be parsed",
    found: ["warn", /^Response status code is not 400$/],
    audits: ["86EE"],
  },
  {
    reason: "422 is the edition's code for JSON that is no well-formed request; a draft allowed 400",
    found: ["notice", /^Response status code is not 400$/],
    audits: [
      "423L", "LKJ0", "LKJ1", "LKJ2", "LKJ3", "6C00", "6C01", "6C02", "6C03", "4760", "4761", "4762", "4763",
      "58B0", "58B1", "58B2", "58B3", "3E3A",
    ],
  },
];

const audits = serverAudits({ url, fetchFn: fetch });

test("every difference is one of an audit that there is", () => {
  const known = new Set(audits.map(({ id }) => id));
  assert.deepEqual(DIFFERENCES.flatMap((difference) => difference.audits).filter((id) => !known.has(id)), []);
});

for (const { id, name, fn } of audits) {
  const difference = DIFFERENCES.find((one) => one.audits.includes(id));
  test(`${id} ${name}${difference ? `: differs, ${difference.reason}` : ""}`, async () => {
    const { status, reason } = await fn();
    const [expected, told] = difference?.found ?? ["ok"];
    assert.equal(status, expected, reason);
    if (told) assert.match(reason, told);
  });
}
