import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { useState } from "react";
import { expect, it, vi } from "vitest";

import type { components } from "@/api/schema.gen";
import type { Alert } from "@/api/types";
import { problem } from "@/testing/handlers";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

import { AlertDrawer } from "./alert-drawer";

function show({ mayAct = true, change = {} }: { mayAct?: boolean; change?: Partial<Alert> } = {}) {
  const on = { close: vi.fn(), acknowledge: vi.fn() };
  const page = renderPage({
    path: "/",
    element: <AlertDrawer alertId={1} mayAct={mayAct} onClose={on.close} onAcknowledge={on.acknowledge} />,
  });
  const alert = page.fleet.alerts.find((candidate) => candidate.alert_id === 1);
  if (alert === undefined) throw new Error("the fleet has an alert 1");
  Object.assign(alert, change);
  return { ...page, ...on, alert };
}

it("shows type, battery, what was seen against which limit, and the time to respond", async () => {
  show();
  expect(await screen.findByText("High temperature")).toBeVisible();
  const id = "BAT-DC-SRC-01-UPS-01-STR-02-007";
  expect(screen.getByRole("link", { name: id })).toHaveAttribute("href", `/batteries/${id}`);
  const drawer = screen.getByTestId("alert-drawer");
  expect(drawer).toHaveTextContent(
    "Battery UPS-01-STR-02-007 (DC-SRC-01) reached 47.8 °C, above the limit of 45.0 °C.",
  );
  expect(drawer).toHaveTextContent("held for 42 min.");
  expect(drawer).toHaveTextContent("Check the air conditioning");
  await waitFor(() =>
    expect(drawer).toHaveTextContent("above 45.0 °C for 60 s. Clears at 42.0 °C. This is the standard limit."),
  );
  expect(drawer).toHaveTextContent("Respond withinsame day");
});

it("links an alert of a string to its location", async () => {
  show({ change: { battery_id: null } });
  expect(await screen.findByRole("link", { name: "DC-SRC-01-UPS-01-STR-02" })).toHaveAttribute(
    "href",
    "/locations/DC-SRC-01",
  );
});

it("shows the gateway's words where a figure is missing", async () => {
  show({ change: { value: null, threshold: null, peak_value: null, unit: null, message: "Temperature high" } });
  await screen.findByText("High temperature");
  expect(screen.getByTestId("alert-drawer")).toHaveTextContent("What was seenTemperature high");
});

it("compares the battery with the others of its string", async () => {
  show();
  const drawer = screen.getByTestId("alert-drawer");
  await waitFor(() =>
    expect(drawer).toHaveTextContent(/this battery 47\.8 °C; median of the 23 others in its string 2\d\.\d °C/),
  );
});

it("draws the signal around the alert, and has it as a table", async () => {
  show();
  expect(await screen.findByText("The shaded span is the alert.", {}, { timeout: 5000 })).toBeVisible();
  await userEvent.click(await screen.findByRole("button", { name: "Show table" }));
  expect(screen.getByRole("columnheader", { name: "Mean" })).toBeVisible();
});

it("says that there is neither a chart nor a comparison for an alert of a string", async () => {
  show({ change: { battery_id: null } });
  expect(await screen.findByText("There is no chart for this kind of alert.")).toBeVisible();
  expect(screen.getByText("This kind of alert is not compared with other batteries.")).toBeVisible();
});

it("takes the focus when it opens and gives it back when it closes", async () => {
  function Page() {
    const [open, setOpen] = useState(false);
    return (
      <>
        <button type="button" onClick={() => setOpen(true)}>
          Row
        </button>
        {open && <AlertDrawer alertId={1} mayAct={false} onClose={() => setOpen(false)} onAcknowledge={vi.fn()} />}
      </>
    );
  }
  renderPage({ path: "/", element: <Page /> });
  await userEvent.click(screen.getByRole("button", { name: "Row" }));
  expect(screen.getByRole("heading", { name: "Alert 1" })).toHaveFocus();
  await screen.findByText("High temperature");
  await userEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(screen.getByRole("button", { name: "Row" })).toHaveFocus();
});

it("keeps a note that could not be sent", async () => {
  show();
  await userEvent.click(await screen.findByRole("button", { name: "Add comment" }));
  server.use(http.post("*/api/v1/alerts/1/comments", () => problem(503, "database_unavailable", "Away.")));
  const dialog = await screen.findByRole("dialog");
  await userEvent.type(within(dialog).getByRole("textbox"), "fan ordered");
  await userEvent.click(within(dialog).getByRole("button", { name: "Add comment" }));
  await waitFor(() => expect(within(dialog).getByRole("button", { name: "Cancel" })).toBeEnabled());
  expect(within(dialog).getByRole("textbox")).toHaveValue("fan ordered");
});

it("asks for an acknowledgement and closes", async () => {
  const { acknowledge, close } = show();
  await userEvent.click(await screen.findByRole("button", { name: "Acknowledge" }));
  expect(acknowledge).toHaveBeenCalledTimes(1);
  await userEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(close).toHaveBeenCalledTimes(1);
});

it("resolves with a note", async () => {
  let body: unknown;
  const { alert } = show();
  await userEvent.click(await screen.findByRole("button", { name: "Resolve" }));
  server.use(
    http.post("*/api/v1/alerts/1/resolve", async ({ request }) => {
      body = await request.json();
      Object.assign(alert, { resolved_at: new Date().toISOString(), resolved_by: "somchai" });
      return HttpResponse.json({ ...alert, timeline: [] });
    }),
  );
  const dialog = await screen.findByRole("dialog");
  await userEvent.type(within(dialog).getByRole("textbox"), "replaced");
  await userEvent.click(within(dialog).getByRole("button", { name: "Resolve" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(body).toEqual({ note: "replaced" });
  await waitFor(() => expect(screen.getByTestId("alert-drawer")).toHaveTextContent("Active · Resolved"));
  expect(screen.getByTestId("alert-drawer")).toHaveTextContent("The alert stays active until the readings clear it");
  expect(screen.queryByRole("button", { name: "Resolve" })).toBeNull();
});

it("adds a comment to a resolved alert, and none without words", async () => {
  let body: unknown;
  show({ change: { resolved_at: new Date().toISOString(), resolved_by: "suda" } });
  server.use(
    http.post("*/api/v1/alerts/1/comments", async ({ request }) => {
      body = await request.json();
      return HttpResponse.json({}, { status: 201 });
    }),
  );
  await userEvent.click(await screen.findByRole("button", { name: "Add comment" }));
  const dialog = await screen.findByRole("dialog");
  const confirm = within(dialog).getByRole("button", { name: "Add comment" });
  await userEvent.type(within(dialog).getByRole("textbox"), "   ");
  expect(confirm).toBeDisabled();
  await userEvent.type(within(dialog).getByRole("textbox"), "fan ordered");
  await userEvent.click(confirm);
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(body).toEqual({ note: "fan ordered" });
});

it("offers no second acknowledgement and shows who was first", async () => {
  show({ change: { acknowledged_at: new Date().toISOString(), acknowledged_by: "suda" } });
  expect(await screen.findByText("by suda")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Acknowledge" })).toBeNull();
  expect(screen.getByRole("button", { name: "Resolve" })).toBeVisible();
  expect(screen.getByTestId("alert-drawer")).toHaveTextContent("Active · Acknowledged");
});

it("offers a viewer nothing but the reason", async () => {
  show({ mayAct: false });
  expect(await screen.findByText("Only engineers can acknowledge alerts.")).toBeVisible();
  expect(screen.getAllByRole("button").map((button) => button.getAttribute("aria-label"))).toEqual(["Close"]);
});

it("says that an alert does not exist", async () => {
  show();
  server.use(http.get("*/api/v1/alerts/1", () => problem(404, "alert_not_found", "There is no alert 1.")));
  expect(await screen.findByText("There is no alert 1.")).toBeVisible();
});

it("explains in Thai, times in their own unit", async () => {
  await i18next.changeLanguage("th");
  show({ change: { value: 2820, threshold: 300, peak_value: 2820, unit: "s", message_code: "data_stale_battery" } });
  await screen.findByText("อุณหภูมิสูง");
  const drawer = screen.getByTestId("alert-drawer");
  expect(drawer).toHaveTextContent("แบตเตอรี่ UPS-01-STR-02-007 (DC-SRC-01) ไม่ส่งข้อมูลมา 47 นาที");
  expect(drawer).toHaveTextContent("สิ่งที่ต้องทำ");
});

type Entry = components["schemas"]["AlertDetail"]["timeline"][number];

const entryHeading = () => i18next.t("alerts.timeline");

async function entries(...timeline: Partial<Entry>[]): Promise<HTMLElement[]> {
  const { alert } = show();
  const raised: Entry = { event_id: 0, at: "2026-11-23T16:30:00Z", kind: "raised", actor: null, note: null, data: {} };
  server.use(
    http.get("*/api/v1/alerts/1", () =>
      HttpResponse.json({ ...alert, timeline: timeline.map((entry, i) => ({ ...raised, event_id: i, ...entry })) }),
    ),
  );
  return within((await screen.findByText(entryHeading())).nextElementSibling as HTMLElement).getAllByRole("listitem");
}

it("lists what happened in the order of the gateway, in Bangkok's time", async () => {
  const [raised, escalated, cleared] = await entries(
    {},
    { kind: "escalated", at: "2026-11-23T17:05:00Z" },
    { kind: "cleared", at: "2026-11-24T01:00:00Z" },
  );
  expect(raised?.textContent).toBe("Raised 23 Nov 2026, 23:30");
  expect(escalated?.textContent).toBe("Escalated 24 Nov 2026, 00:05");
  expect(cleared?.textContent).toBe("Cleared 24 Nov 2026, 08:00");
});

it.each([
  ["en", "Ended by root", "Battery T1 was replaced by T2.", "Out of service."],
  ["th", "สิ้นสุด", "เปลี่ยนแบตเตอรี่ T1 เป็น T2 แล้ว", "เลิกใช้งานแล้ว"],
])("says in %s why an alert ended with its battery", async (language, ended, swap, out) => {
  await i18next.changeLanguage(language);
  const data = { reason: "replaced", old_serial_number: "T1", new_serial_number: "T2" };
  const [replaced, retired] = await entries(
    { kind: "ended", actor: "root", data },
    { kind: "ended", actor: "root", note: "hall closed", data: { reason: "retired" } },
  );
  expect(replaced).toHaveTextContent(ended);
  expect(replaced).toHaveTextContent(swap);
  expect(retired).toHaveTextContent(out);
  expect(retired).toHaveTextContent("hall closed");
});

it("tells an alert that outlasted its resolution from an unstable one", async () => {
  const [unstable, outlasted] = await entries(
    { kind: "reopened" },
    { kind: "reopened", data: { resolved_at: "2026-11-23T17:00:00Z" } },
  );
  expect(unstable).toHaveTextContent("Came back: unstable");
  expect(outlasted).toHaveTextContent("Raised again: the condition outlasted the resolution");
});

it("names who acted and shows the note as it was written", async () => {
  const [acknowledged, comment] = await entries(
    { kind: "acknowledged", actor: "suda", note: "<b>on my way</b>\ntwo hours" },
    { kind: "comment", actor: "somchai", note: "" },
  );
  expect(acknowledged).toHaveTextContent("Acknowledged by suda");
  expect(acknowledged?.querySelector("p")?.textContent).toBe("<b>on my way</b>\ntwo hours");
  expect(comment).toHaveTextContent("Comment by somchai");
  expect(comment?.querySelector("p")).toBeNull();
});

it("has the timeline in Thai with the Buddhist year", async () => {
  await i18next.changeLanguage("th");
  const [resolved] = await entries({ kind: "resolved", actor: "suda" });
  expect(screen.getByRole("heading", { name: "ลำดับเหตุการณ์" })).toBeVisible();
  expect(resolved).toHaveTextContent(/^ปิดเรื่อง โดย suda23 พ\.ย\. 2569/);
});
