import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { MockFleet } from "@/testing/fleet";
import { conflict, incidentsOf, noteTemplates } from "@/testing/incidents";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

import { IncidentsPage } from "./incidents-page";

async function openPanel() {
  const fleet = new MockFleet();
  fleet.strike("BAT-DC-KKN-01-UPS-01-STR-01-001");
  const [incident] = incidentsOf(fleet);
  if (incident === undefined) throw new Error("no incident");
  const address = `/incidents/${incident.incident_id}`;
  renderPage({ path: "/incidents/:incidentId?", element: <IncidentsPage />, address }, fleet);
  const panel = await screen.findByTestId("incident-panel");
  await within(panel).findByText("Timeline");
  const start = async (name: string) => {
    await userEvent.click(within(panel).getByRole("button", { name }));
    return screen.findByRole("dialog");
  };
  return { fleet, incident, panel, start };
}

it("shows what another user did, keeps the note, and sends it again with the new revision", async () => {
  const { incident, start } = await openPanel();
  const dialog = await start("Snooze");
  const note = within(dialog).getByRole("textbox", { name: "Note" });
  await userEvent.type(note, "Electrician at 16:00");
  Object.assign(incident, {
    revision: 3,
    status: "acknowledged",
    acknowledged_at: "2026-11-23T07:02:00Z",
    acknowledged_by: "malee",
  });
  await userEvent.click(within(dialog).getByRole("button", { name: "Snooze" }));
  const notice = await within(dialog).findByRole("alert");
  expect(notice).toHaveTextContent("malee acknowledged it at 23 Nov 2026, 14:02.");
  expect(note).toHaveValue("Electrician at 16:00");
  await userEvent.click(within(dialog).getByRole("button", { name: "Send all the same" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(incident.timeline.at(-1)).toMatchObject({ kind: "snoozed", note: "Electrician at 16:00" });
});

it("offers the note as a comment where somebody else has ended the incident", async () => {
  const { incident, start } = await openPanel();
  const dialog = await start("Acknowledge");
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Note" }), "on my way");
  server.use(
    http.post("*/api/v1/incidents/:id/acknowledge", () => {
      Object.assign(incident, {
        revision: 2,
        status: "resolved",
        resolved_at: "2026-11-23T07:02:00Z",
        resolved_by: "malee",
      });
      return conflict("incident_ended", incident);
    }),
  );
  await userEvent.click(within(dialog).getByRole("button", { name: "Acknowledge" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("malee resolved it at 23 Nov 2026, 14:02.");
  expect(within(dialog).queryByRole("button", { name: "Send all the same" })).toBeNull();
  await userEvent.click(within(dialog).getByRole("button", { name: "Add the note as a comment" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(incident.timeline.at(-1)).toMatchObject({ kind: "comment", note: "on my way" });
});

it("keeps its key for a repetition after a lost answer, and takes another for another note", async () => {
  const { start } = await openPanel();
  const keys: (string | null)[] = [];
  server.use(
    http.post("*/api/v1/incidents/:id/comments", ({ request }) => {
      keys.push(request.headers.get("Idempotency-Key"));
      return HttpResponse.error();
    }),
  );
  const dialog = await start("Add comment");
  const note = within(dialog).getByRole("textbox", { name: "Note" });
  const send = async (times: number) => {
    await userEvent.click(within(dialog).getByRole("button", { name: "Add comment" }));
    await waitFor(() => expect(keys).toHaveLength(times));
    await waitFor(() => expect(within(dialog).getByRole("button", { name: "Add comment" })).toBeEnabled());
  };
  await userEvent.type(note, "a");
  await send(1);
  await send(2);
  await userEvent.type(note, "b");
  await send(3);
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
  expect(note).toHaveValue("ab");
});

it("appends a template in the user's language to what is written", async () => {
  const { start } = await openPanel();
  const dialog = await start("Resolve");
  const note = within(dialog).getByRole("textbox", { name: "Note" });
  await userEvent.type(note, "Done.");
  await userEvent.click(await within(dialog).findByRole("button", { name: noteTemplates[0]?.en ?? "" }));
  expect(note).toHaveValue("Done. On site, checking.");
  await i18next.changeLanguage("th");
  expect(await within(dialog).findByRole("button", { name: noteTemplates[1]?.th ?? "" })).toBeVisible();
});

it("gives an incident to the user, and says so in the timeline", async () => {
  const { incident, panel, start } = await openPanel();
  const dialog = await start("Assign");
  await userEvent.click(within(dialog).getByRole("button", { name: "Assign" }));
  expect(await within(panel).findByText("Assigned to somchai")).toBeVisible();
  expect(incident.assignee).toBe("somchai");
});
