import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { act } from "react";
import { expect, it } from "vitest";

import { useSession } from "@/api/session";
import type { OverrideIn, User } from "@/api/types";
import { MockFleet } from "@/testing/fleet";
import { operator, problem } from "@/testing/handlers";
import { renderPage } from "@/testing/render";
import { alertRules } from "@/testing/rules";
import { server } from "@/testing/server";

import { RulesPage } from "./rules-page";

const fleet = new MockFleet();
const STRING = "DC-CNX-01-UPS-01-STR-01";
const VOLTAGE = "rule-voltage_low.float";

function open(search = "", user: Partial<User> = {}) {
  const page = renderPage({ path: "/alert-rules", element: <RulesPage />, address: `/alert-rules${search}` }, fleet);
  act(() => useSession.getState().signedIn("access-1", { ...operator, ...user }));
  return page;
}

const item = (ruleId: string) => screen.findByTestId(`rule-${ruleId}`);

async function edit(ruleId: string) {
  await userEvent.click(within(await item(ruleId)).getAllByRole("button", { name: /^Change/ })[0] as HTMLElement);
  return screen.findByRole("dialog");
}

async function fill(label: RegExp | string, text: string): Promise<void> {
  const field = screen.getByLabelText(label);
  await userEvent.clear(field);
  if (text !== "") await userEvent.type(field, text);
}

function recordSaves(): OverrideIn[] {
  const saves: OverrideIn[] = [];
  server.events.on("request:start", ({ request }) => {
    if (request.method === "PUT")
      void request
        .clone()
        .json()
        .then((body) => saves.push(body as OverrideIn));
  });
  return saves;
}

it("lists every rule by type with its condition, urgency, source, floor and overrides", async () => {
  open();
  const voltage = await item("voltage_low.float");
  expect(screen.getAllByTestId(/^rule-/)).toHaveLength(alertRules.length);
  expect(voltage).toHaveTextContent("Voltage below 13.00 V for 30 min on float");
  expect(voltage).toHaveTextContent("Respond within 7 days · Source of the default: EJ: 0.5 V below the float band");
  expect(voltage).toHaveTextContent("2 overrides");
  expect(voltage).toHaveTextContent("Set 18 Nov 2026, 11:00 by somchai · ends 5 Jan 2027, 17:00");
  expect(voltage).toHaveTextContent("Reason: charger under repair");
  expect(await item("voltage_low.danger")).toHaveTextContent("Life safetyFloor: 1.00 V, at most 1 min");
  expect(await item("data_stale.battery")).toHaveTextContent("Cannot be changed");
  expect(screen.getByRole("heading", { level: 2, name: "Low voltage" })).toBeVisible();
});

it("searches and filters, and keeps both in the address", async () => {
  const { router } = open();
  await userEvent.type(await screen.findByLabelText("Search rules"), "float current");
  await waitFor(() => expect(screen.getAllByTestId(/^rule-/)).toHaveLength(1));
  expect(router.state.location.search).toBe("?q=float+current");
  await userEvent.clear(screen.getByLabelText("Search rules"));
  await userEvent.selectOptions(screen.getByLabelText("Values"), "Overridden only");
  await waitFor(() => expect(screen.getAllByTestId(/^rule-/)).toHaveLength(1));
  expect(await item("voltage_low.float")).toBeVisible();
  await userEvent.selectOptions(screen.getByLabelText("Type"), "Stale data");
  expect(await screen.findByText("No rules match.")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Reset filters" }));
  expect(await item("data_stale.battery")).toBeVisible();
});

it("finds a scope by its id and shows what holds there and where it comes from", async () => {
  const { router } = open();
  await userEvent.click(await screen.findByRole("button", { name: "Choose scope" }));
  await userEvent.type(screen.getByLabelText("Search by ID or name"), "cnx str-01");
  await userEvent.click(await screen.findByRole("button", { name: `String ${STRING}` }));
  expect(router.state.location.search).toBe(`?scope=string%3A${STRING}`);
  const voltage = await item("voltage_low.float");
  expect(voltage).toHaveTextContent("Voltage below 12.90 V for 10 min");
  expect(voltage).toHaveTextContent("Raise value, Clear value: from data centre DC-CNX-01");
  expect(voltage).toHaveTextContent(`Hold: from string ${STRING}`);
  expect(within(await item("temperature_high.danger")).getByText("All values are defaults.")).toBeVisible();
  // Those that judge a whole location cannot be set for a string.
  expect(screen.queryByTestId("rule-hvac_failure.failed")).toBeNull();
  expect(screen.getByText(/2 rules judge something else/)).toBeVisible();
});

it("shows the gateway's own answer for a battery", async () => {
  const id = `BAT-${STRING}-001`;
  open(`?scope=battery:${id}`);
  const [rule] = alertRules;
  server.use(
    http.get("*/api/v1/batteries/:id/alert-rules", () =>
      HttpResponse.json({
        items: [
          { ...rule, raise_value: 12.5, enabled: false, origin: { enabled: { scope: "battery", scope_id: id } } },
        ],
        total: 1,
        skip: 0,
        limit: 100,
      }),
    ),
  );
  const voltage = await item("voltage_low.float");
  expect(voltage).toHaveTextContent("Switched off: Voltage below 12.50 V");
  expect(voltage).toHaveTextContent(`State: from battery ${id}`);
});

it("shows the difference before it saves, and then the new values", async () => {
  const saves = recordSaves();
  open(`?scope=string:${STRING}`);
  const dialog = await edit("voltage_low.float");
  const changes = within(dialog).getByTestId("changes");
  expect(changes).toHaveTextContent("Nothing changes.");
  await fill(/^Raise value/, "12.8");
  expect(changes).toHaveTextContent("Raise value: 12.90 V → 12.80 V");
  // The clear value follows at its usual distance.
  expect(changes).toHaveTextContent("Clear value: 13.10 V → 13.00 V");
  expect(changes).toHaveTextContent("For 24 batteries.");
  await userEvent.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(saves).toEqual([
    {
      scope: "string",
      scope_id: STRING,
      raise_value: 12.8,
      clear_value: null,
      hold_s: 600,
      clear_hold_s: null,
      enabled: null,
      reason: "charger under repair",
      expires_at: "2027-01-05T10:00:00.000Z",
    },
  ]);
  await waitFor(async () => expect(await item("voltage_low.float")).toHaveTextContent("Voltage below 12.80 V"));
});

it("names what is no longer watched when a rule is switched off", async () => {
  open(`?scope=string:${STRING}`);
  const dialog = await edit("voltage_low.float");
  await userEvent.selectOptions(within(dialog).getByLabelText("State"), "Off");
  expect(within(dialog).getByTestId("changes")).toHaveTextContent(
    "Nobody will be warned of this any more: Voltage below 12.90 V for 10 min on float",
  );
});

it("sends nothing while a value is on the wrong side, and names the field", async () => {
  const saves = recordSaves();
  open(`?scope=string:${STRING}`);
  const dialog = await edit("voltage_low.float");
  await fill(/^Raise value/, "12.8");
  await fill(/^Clear value/, "12.7");
  await userEvent.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(screen.getByLabelText(/^Clear value/)).toBeInvalid();
  expect(screen.getByLabelText(/^Clear value/)).toHaveAccessibleDescription(/must be at or above 12\.80 V/);
  expect(screen.getByLabelText(/^Raise value/)).toBeValid();
  expect(saves).toEqual([]);
});

it("keeps the floor of a life-safety rule from engineers, and asks an administrator for reason and end", async () => {
  open("?scope=location:DC-SRC-01");
  let dialog = await edit("temperature_high.danger");
  await fill(/^Raise value/, "70");
  expect(screen.getByLabelText(/^Raise value/)).toHaveAccessibleDescription(/Only an administrator may do that/);
  await userEvent.click(within(dialog).getByRole("button", { name: "Cancel" }));

  act(() => useSession.getState().signedIn("access-1", { ...operator, role: "admin" }));
  const saves = recordSaves();
  dialog = await edit("temperature_high.danger");
  await fill(/^Raise value/, "70");
  await userEvent.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(screen.getByLabelText("Reason")).toHaveAccessibleDescription(/state the reason/);
  expect(screen.getByLabelText(/^Ends on/)).toHaveAccessibleDescription(/within 30 days/);
  expect(saves).toEqual([]);
});

it("keeps what was typed when the gateway refuses, with the reason at its field", async () => {
  open(`?scope=string:${STRING}`);
  const dialog = await edit("voltage_low.float");
  server.use(
    http.put("*/api/v1/alert-rules/:id/overrides", () =>
      problem(422, "override_invalid", "hold_s: 900 is not possible here."),
    ),
  );
  await fill(/^Raise value/, "12.8");
  await fill("Hold", "15");
  await userEvent.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.getByLabelText("Hold")).toBeInvalid());
  expect(screen.getByLabelText("Hold")).toHaveAccessibleDescription(/The server refused this: hold_s: 900/);
  expect(screen.getByLabelText(/^Raise value/)).toHaveValue("12.8");
  await userEvent.keyboard("{Escape}");
  expect(screen.getByRole("dialog")).toBeVisible();
});

it("shows a refusal of a field that the rule has not above the buttons", async () => {
  open("?scope=location:DC-SRC-01");
  const dialog = await edit("hvac_failure.failed");
  expect(screen.queryByLabelText(/^Raise value/)).toBeNull();
  server.use(
    http.put("*/api/v1/alert-rules/:id/overrides", () => problem(422, "override_invalid", "raise_value: 7 is beyond.")),
  );
  await userEvent.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(screen.getByLabelText("State")).toHaveAccessibleDescription(/Enter at least one value/);
  await waitFor(() => expect(screen.getByLabelText("State")).toHaveFocus());
  await fill("Hold", "15");
  await userEvent.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("raise_value: 7 is beyond.");
});

it("offers no hold for a rule that has none, and no change of one that is fixed", async () => {
  open("?scope=location:DC-SRC-01");
  expect(within(await item("data_stale.battery")).queryByRole("button")).toBeNull();
  await edit("rul_warning.p10");
  expect(screen.getByLabelText("Raise value (d)")).toBeVisible();
  expect(screen.queryByLabelText("Hold")).toBeNull();
});

it("shows a refusal that names no field above the buttons", async () => {
  open(`?scope=string:${STRING}`);
  const dialog = await edit("voltage_low.float");
  server.use(
    http.put("*/api/v1/alert-rules/:id/overrides", () => problem(503, "database_unavailable", "No database.")),
  );
  await fill(/^Raise value/, "12.8");
  await userEvent.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("No database.Request ID: req-7f3a");
});

it("names what applies afterwards before it removes an override", async () => {
  open(`?scope=string:${STRING}`);
  const name = `Remove the override of voltage_low.float for ${STRING}`;
  await userEvent.click(within(await item("voltage_low.float")).getByRole("button", { name }));
  const dialog = screen.getByRole("dialog", { name: "Remove override" });
  expect(await within(dialog).findByText(/Afterwards: Voltage below 12\.90 V for 1 h 30 min/)).toBeVisible();
  await userEvent.click(within(dialog).getByRole("button", { name: "Remove" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  await waitFor(() => expect(screen.getByTestId(VOLTAGE)).toHaveTextContent("for 1 h 30 min"));
  expect(screen.queryByRole("button", { name })).toBeNull();
});

it("lets viewers look, not change", async () => {
  open(`?scope=string:${STRING}`, { role: "viewer" });
  const voltage = await item("voltage_low.float");
  expect(voltage).toHaveTextContent(`Hold: from string ${STRING}`);
  expect(screen.queryByRole("button", { name: /^(Change|Remove)/ })).toBeNull();
  expect(screen.getByText("Only engineers can change rules.")).toBeVisible();
});

it("does not let a user of some locations change a model, which is in all of them", async () => {
  open("?scope=model:CSB-HX12-120", { location_ids: ["DC-CNX-01"] });
  await item("voltage_low.float");
  expect(screen.getByText(/A model is installed in every data centre/)).toBeVisible();
  const own = within(screen.getByTestId("rule-temperature_high.danger"));
  expect(own.queryByRole("button", { name: /^Change/ })).toBeNull();
});

it("shows no values for a scope that does not exist", async () => {
  open("?scope=string:DC-XXX-01-UPS-01-STR-01");
  expect(await screen.findByText(/There is no string DC-XXX-01-UPS-01-STR-01/)).toBeVisible();
  expect(screen.queryByTestId(VOLTAGE)).toBeNull();
});

it("shows why the rules could not be read", async () => {
  open();
  server.use(http.get("*/api/v1/alert-rules", () => problem(403, "forbidden", "This needs alerts:read.")));
  expect(await screen.findByRole("alert")).toHaveTextContent("You do not have access to this.");
});

it("shows no defaults in the stead of values that could not be read", async () => {
  open(`?scope=string:${STRING}`);
  server.use(http.get("*/api/v1/batteries", () => problem(500, "internal", "It broke.")));
  expect(await screen.findByRole("alert")).toHaveTextContent("It broke.");
  expect(screen.queryByTestId(VOLTAGE)).toBeNull();
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  open(`?scope=string:${STRING}`);
  const voltage = await item("voltage_low.float");
  expect(voltage).toHaveTextContent("แรงดัน ต่ำกว่า 12.90 V ต่อเนื่อง 10 นาที ขณะโฟลต");
  expect(voltage).toHaveTextContent("เกณฑ์แจ้งเตือน, เกณฑ์กลับสู่ปกติ: จากศูนย์ข้อมูล DC-CNX-01");
});
