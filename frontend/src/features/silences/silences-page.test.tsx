import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { useSession } from "@/api/session";
import { MockFleet } from "@/testing/fleet";
import { operator, problem } from "@/testing/handlers";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";
import { silenceHandlers, silenceOf, windowOf } from "@/testing/silences";

import { SilencesPage } from "./silences-page";

const page = { path: "/silences", element: <SilencesPage />, address: "/silences" };

function show(address = "/silences", ...handlers: Parameters<typeof silenceHandlers>) {
  const result = renderPage({ ...page, address }, new MockFleet());
  server.use(...silenceHandlers(...handlers));
  return result;
}

it("says what is silenced, why, by whom and for how long", async () => {
  show();
  const card = await screen.findByTestId("span-silence-1");
  expect(card).toHaveTextContent("SilenceString DC-KKN-01-UPS-01-STR-01");
  expect(card).toHaveTextContent(/In force · 2 h left|In force · 1 h 59 min left|In force · 1 h left/);
  expect(card).toHaveTextContent("CoversHigh temperature");
  expect(card).toHaveTextContent("ReasonFan is being replaced.");
  expect(card).toHaveTextContent("Set by malee");
  expect(card).toHaveTextContent("0 alerts hidden");
});

it("shows the discharges of a test as its evidence", async () => {
  const discharge = {
    discharge_id: 3,
    string_id: "DC-KKN-01-UPS-01-STR-02",
    started_at: "2026-11-30T02:00:00Z",
    ended_at: "2026-11-30T04:00:00Z",
    depth_pct: 61.2,
    complete: true,
    is_open: false,
  };
  show("/silences", [], [windowOf({ discharges: [discharge] })]);
  const card = await screen.findByTestId("span-test-7");
  expect(card).toHaveTextContent("Capacity test");
  expect(card).toHaveTextContent("what a discharge test is expected to raise");
  expect(card).toHaveTextContent("open until its strings have recharged");
  expect(await within(card).findByText(/DC-KKN-01-UPS-01-STR-02: 61\.2 % deep/)).toBeVisible();
});

it("says the same in Thai", async () => {
  await i18next.changeLanguage("th");
  show();
  const card = await screen.findByTestId("span-silence-1");
  expect(card).toHaveTextContent("พักการแจ้งเตือนสตริง DC-KKN-01-UPS-01-STR-01");
  expect(card).toHaveTextContent("ตั้งโดย malee");
});

it("takes what an incident is about, and sends no silence without an end and a reason", async () => {
  show("/silences?scope=string&scope_id=DC-KKN-01-UPS-01-STR-01&type=temperature_high", [], []);
  const dialog = await screen.findByRole("dialog", { name: "New silence" });
  expect(within(dialog).getByLabelText("Id or tag")).toHaveValue("DC-KKN-01-UPS-01-STR-01");
  expect(within(dialog).getByLabelText("High temperature")).toBeChecked();
  const save = within(dialog).getByRole("button", { name: "Set silence" });
  expect(save).toBeDisabled();
  await userEvent.type(within(dialog).getByLabelText("Reason"), "fan");
  expect(save).toBeEnabled();
  await userEvent.selectOptions(within(dialog).getByLabelText("End"), "at another time");
  expect(save).toBeDisabled();
  await userEvent.selectOptions(within(dialog).getByLabelText("End"), "in 4 hours");
  await userEvent.click(save);
  const card = await screen.findByTestId("span-silence-100");
  expect(card).toHaveTextContent("Reasonfan");
});

it("says what the gateway refuses, and keeps what was typed", async () => {
  show("/silences", [], []);
  server.use(http.post("*/api/v1/silences", () => problem(422, "silence_too_wide", "types: name the types.")));
  await userEvent.click(await screen.findByRole("button", { name: "New silence" }));
  const dialog = screen.getByRole("dialog");
  await userEvent.type(within(dialog).getByLabelText("Id or tag"), "DC-KKN-01");
  await userEvent.type(within(dialog).getByLabelText("Reason"), "storm");
  await userEvent.click(within(dialog).getByRole("button", { name: "Set silence" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("types: name the types.");
  expect(within(dialog).getByLabelText("Reason")).toHaveValue("storm");
});

it("sends the same request with the same key again after a lost answer", async () => {
  show("/silences", [], []);
  const sent: { key: string | null; body: unknown }[] = [];
  server.use(
    http.post("*/api/v1/silences", async ({ request }) => {
      sent.push({ key: request.headers.get("Idempotency-Key"), body: await request.json() });
      return sent.length === 1 ? HttpResponse.error() : HttpResponse.json(silenceOf(), { status: 201 });
    }),
  );
  await userEvent.click(await screen.findByRole("button", { name: "New silence" }));
  const dialog = screen.getByRole("dialog");
  await userEvent.type(within(dialog).getByLabelText("Id or tag"), "DC-KKN-01");
  await userEvent.type(within(dialog).getByLabelText("Reason"), "storm");
  const save = within(dialog).getByRole("button", { name: "Set silence" });
  await userEvent.click(save);
  await within(dialog).findByRole("alert");
  await userEvent.click(save);
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(sent).toHaveLength(2);
  expect(sent[0]?.key).toMatch(/^[0-9a-f]{32}$/);
  expect(sent[1]).toEqual(sent[0]);
});

it("names types without claiming to hide their life-safety alerts", async () => {
  const approved = { covers_safety: true, types: null, approved_at: "2026-12-01T00:00:00Z", approved_by: "nok" };
  show("/silences", [silenceOf({ types: ["thermal_runaway"] }), silenceOf({ ...approved, silence_id: 2 })], []);
  expect(await screen.findByTestId("span-silence-1")).toHaveTextContent(
    "Thermal runawayOf these, life-safety alerts still reach the inbox",
  );
  const wide = screen.getByTestId("span-silence-2");
  expect(wide).toHaveTextContent("Coversevery alertLife safety too, approved by nok");
});

it("ends a silence only after asking", async () => {
  show();
  const card = await screen.findByTestId("span-silence-1");
  await userEvent.click(within(card).getByRole("button", { name: "End now" }));
  const dialog = screen.getByRole("dialog", { name: "End it now?" });
  expect(dialog).toHaveTextContent("comes back to the inbox at once");
  await userEvent.click(within(dialog).getByRole("button", { name: "End now" }));
  await waitFor(() => expect(screen.queryByTestId("span-silence-1")).toBeNull());
});

it("lets a second person approve life safety, and nobody their own", async () => {
  const waits = { covers_safety: true, types: null };
  show(
    "/silences",
    [silenceOf({ ...waits, silence_id: 1 }), silenceOf({ ...waits, silence_id: 2, created_by: operator.username })],
    [],
  );
  const other = await screen.findByTestId("span-silence-1");
  const own = screen.getByTestId("span-silence-2");
  expect(other).toHaveTextContent("Life safety only once a second person approves it");
  expect(within(own).queryByRole("button", { name: "Approve for life safety" })).toBeNull();
  expect(own).toHaveTextContent("Somebody else has to approve life safety.");
  await userEvent.click(within(other).getByRole("button", { name: "Approve for life safety" }));
  await userEvent.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Approve for life safety" }));
  expect(await screen.findByText(/Life safety too, approved by somchai/)).toBeVisible();
});

it("lets viewers read only", async () => {
  show();
  useSession.setState({ user: { ...operator, role: "viewer" } });
  const card = await screen.findByTestId("span-silence-1");
  expect(screen.queryByRole("button", { name: "New silence" })).toBeNull();
  expect(within(card).queryByRole("button", { name: "End now" })).toBeNull();
});

it("says that nothing is silenced, and what failed", async () => {
  show("/silences", [], []);
  expect(await screen.findByText("No silence and no maintenance window")).toBeVisible();
});

it("offers to try again when the list cannot be read", async () => {
  renderPage(page, new MockFleet());
  server.use(http.get("*/api/v1/silences", () => new HttpResponse(null, { status: 503 })));
  expect((await screen.findAllByRole("alert", {}, { timeout: 8000 })).length).toBeGreaterThan(0);
});
