import { screen } from "@testing-library/react";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { MockFleet } from "@/testing/fleet";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";
import { silenceHandlers, silenceOf, windowOf } from "@/testing/silences";

import { QuietNotice } from "./quiet-notice";

const LOCATION = "DC-KKN-01";
const FIRST = "DC-KKN-01-UPS-01-STR-01";

function show(stringId?: string, ...handlers: Parameters<typeof silenceHandlers>) {
  const element =
    stringId === undefined ? (
      <QuietNotice locationId={LOCATION} />
    ) : (
      <QuietNotice locationId={LOCATION} stringId={stringId} />
    );
  renderPage({ path: "/", element, address: "/" }, new MockFleet());
  server.use(...silenceHandlers(...handlers));
}

it("says whose alerts stay out of the inbox, until when, who set it and why", async () => {
  show();
  const notices = await screen.findAllByTestId("quiet-notice");
  expect(notices[0]).toHaveTextContent(`Alerts of ${FIRST} are silenced.`);
  expect(notices[0]).toHaveTextContent(/at the latest, by malee: Fan is being replaced\./);
  expect(await screen.findByText(/A capacity test of DC-KKN-01-UPS-01-STR-02 is planned now/)).toBeVisible();
});

it("says the same in Thai", async () => {
  await i18next.changeLanguage("th");
  show();
  expect((await screen.findAllByTestId("quiet-notice"))[0]).toHaveTextContent(`พักการแจ้งเตือนของ ${FIRST} อยู่`);
});

it("leaves out what does not cover a string, and keeps what may", async () => {
  const wide = silenceOf({ silence_id: 2, scope: "system", scope_id: "DC-KKN-01-UPS-01", reason: "wide" });
  const tagged = silenceOf({ silence_id: 3, scope: "tag", scope_id: "row-a", reason: "tagged" });
  const other = silenceOf({ silence_id: 4, scope_id: "DC-KKN-01-UPS-01-STR-011", reason: "another string" });
  show(FIRST, [wide, tagged, other], [windowOf()]);
  expect(await screen.findByText(/: wide$/)).toBeVisible();
  expect(screen.getByText(/: tagged$/)).toBeVisible();
  expect(screen.queryByText(/another string/)).toBeNull();
  expect(screen.getAllByTestId("quiet-notice")).toHaveLength(2);
});

it("is not silent about a failure", async () => {
  show(undefined, [], []);
  server.use(http.get("*/api/v1/silences", () => new HttpResponse(null, { status: 503 })));
  expect(await screen.findByRole("alert", {}, { timeout: 8000 })).toBeVisible();
});
