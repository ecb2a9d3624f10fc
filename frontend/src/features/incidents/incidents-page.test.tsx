import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { act } from "react";
import { beforeEach, expect, it } from "vitest";

import { useSession } from "@/api/session";
import { usePreferences } from "@/stores/preferences";
import { MockFleet } from "@/testing/fleet";
import { operator, problem } from "@/testing/handlers";
import { incidentOf, incidentsOf } from "@/testing/incidents";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

import { IncidentsPage } from "./incidents-page";

const page = { path: "/incidents/:incidentId?", element: <IncidentsPage />, address: "/incidents" };
beforeEach(() => usePreferences.setState({ shortcuts: true }));

async function firstRow() {
  return (await screen.findAllByTestId(/^incident-\d+$/))[0] as HTMLElement;
}

/** Four batteries of one string over temperature: one incident, which nothing in the fleet is more urgent than. */
function burningString() {
  const fleet = new MockFleet();
  for (const n of [1, 2, 3, 4]) fleet.strike(`BAT-DC-KKN-01-UPS-01-STR-01-00${n}`);
  const incident = incidentsOf(fleet).find((one) => one.alert_count >= 4);
  if (incident === undefined) throw new Error("no incident");
  return { fleet, id: incident.incident_id, incident };
}

it("shows one row for the alerts of a string: how bad, what, where, how many, how far, with whom", async () => {
  const { fleet, id } = burningString();
  renderPage(page, fleet);
  const row = await screen.findByTestId(`incident-${id}`);
  expect(row).toHaveTextContent("Critical");
  expect(row).toHaveTextContent("High temperature");
  expect(row).toHaveTextContent("DC-KKN-01-UPS-01-STR-01");
  await waitFor(() => expect(row).toHaveTextContent("4 of 24 batteries"));
  expect(row).toHaveTextContent("Open · Unassigned");
  expect(row).toHaveTextContent("Respond within same day");
});

it("says the same in Thai", async () => {
  await i18next.changeLanguage("th");
  const { fleet, id } = burningString();
  renderPage(page, fleet);
  const row = await screen.findByTestId(`incident-${id}`);
  await waitFor(() => expect(row).toHaveTextContent("แบตเตอรี่ 4 จาก 24 ลูก"));
  expect(row).toHaveTextContent("เปิดอยู่ · ยังไม่มีผู้รับผิดชอบ");
  expect(row).toHaveTextContent("ต้องดำเนินการภายใน วันเดียวกัน");
});

it("counts what is new in an acknowledged incident, and offers to acknowledge it", async () => {
  const { fleet, incident, id } = burningString();
  const answer = { ...incident, status: "acknowledged", assignee: "malee", unacknowledged_count: 2 };
  renderPage({ ...page, address: "/incidents?status=hand" }, fleet);
  server.use(
    http.get("*/api/v1/incidents", () =>
      HttpResponse.json({
        items: [answer],
        total: 1,
        skip: 0,
        limit: 200,
        open_count: 0,
        critical_count: 0,
        alert_count: 4,
      }),
    ),
  );
  const row = await screen.findByTestId(`incident-${id}`);
  expect(row).toHaveTextContent("2 new");
  expect(row).toHaveTextContent("Acknowledged · Assigned to malee");
  expect(within(row).getByRole("button", { name: "Acknowledge" })).toBeVisible();
});

it("keeps few rows of ten thousand in the document, and reads page after page", async () => {
  const lead = new MockFleet().strike("BAT-DC-KKN-01-UPS-01-STR-01-001");
  const skips: number[] = [];
  renderPage(page);
  server.use(
    http.get("*/api/v1/incidents", ({ request }) => {
      const query = new URL(request.url).searchParams;
      const [skip, limit] = [Number(query.get("skip")), Number(query.get("limit"))];
      if (limit > 1) skips.push(skip);
      const items = Array.from({ length: limit }, (_, i) => incidentOf(lead, 20_000 - skip - i));
      return HttpResponse.json({
        items,
        total: 10_000,
        skip,
        limit,
        open_count: 10_000,
        critical_count: 0,
        alert_count: 1,
      });
    }),
  );
  const row = await firstRow();
  expect(row).toHaveAttribute("aria-setsize", "10000");
  expect(screen.getAllByRole("listitem").length).toBeLessThan(60);
  expect(await screen.findByTestId("incident-total")).toHaveTextContent("10,000 incidents · 200 of 10,000 loaded");
  const scroller = screen.getByTestId("incident-list");
  scroller.scrollTop = 180 * 76;
  fireEvent.scroll(scroller);
  await waitFor(() => expect(skips).toEqual([0, 200]));
  expect(await screen.findByTestId("incident-19815")).toHaveAttribute("aria-posinset", "186");
});

it("says that nothing waits without a filter, and that nothing matches with one", async () => {
  const { fleet } = renderPage({ ...page, address: "/incidents?location_id=DC-NONE" });
  expect(await screen.findByText("No incidents match the filters.")).toBeVisible();
  for (const incident of incidentsOf(fleet)) incident.status = "acknowledged";
  await userEvent.click(screen.getAllByRole("button", { name: "Reset filters" })[0] as HTMLElement);
  expect(await screen.findByText("Nothing waits for anybody.")).toBeVisible();
});

it("keeps filters in the address and searches once the typing pauses", async () => {
  const { router } = renderPage(page);
  await firstRow();
  await userEvent.selectOptions(screen.getByLabelText("Severity"), "critical");
  await userEvent.selectOptions(screen.getByLabelText("Assignee"), "Nobody");
  await userEvent.type(screen.getByLabelText("Search"), "KKN");
  await waitFor(() => expect(router.state.location.search).toBe("?severity=critical&assignee=%3Anobody&q=KKN"));
});

it("moves, opens and acknowledges by keys, and the note gets none of them", async () => {
  const { router, fleet } = renderPage(page);
  const id = Number((await firstRow()).dataset.testid?.replace("incident-", ""));
  await userEvent.keyboard("jxe");
  const dialog = await screen.findByRole("dialog", { name: "Acknowledge 1 incident" });
  const note = within(dialog).getByRole("textbox", { name: "Note" });
  expect(note).toHaveValue("");
  expect(within(dialog).getByRole("button", { name: "Acknowledge" })).toBeDisabled();
  await userEvent.type(note, "jek");
  await userEvent.click(within(dialog).getByRole("button", { name: "Acknowledge" }));
  await waitFor(() => expect(screen.queryByTestId(`incident-${id}`)).toBeNull());
  expect(
    incidentsOf(fleet)
      .find((one) => one.incident_id === id)
      ?.timeline.at(-1),
  ).toMatchObject({ note: "jek" });
  await userEvent.keyboard("j{Enter}");
  expect(router.state.location.pathname).toMatch(/^\/incidents\/\d+$/);
});

it("gives the focus back to the row when a dialog is cancelled", async () => {
  renderPage(page);
  const row = await firstRow();
  await userEvent.keyboard("je");
  await screen.findByRole("dialog");
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  await waitFor(() => expect(row).toContainElement(document.activeElement as HTMLElement));
});

it("acknowledges several at once and shows which had changed meanwhile", async () => {
  const { fleet } = renderPage(page);
  await firstRow();
  for (const box of screen.getAllByRole("checkbox").slice(0, 3)) await userEvent.click(box);
  const [first] = incidentsOf(fleet);
  if (first === undefined) throw new Error("no incident");
  Object.assign(first, { revision: 2, assignee: "malee" });
  await userEvent.click(screen.getByRole("button", { name: "Acknowledge 3 incidents" }));
  const dialog = await screen.findByRole("dialog");
  await userEvent.type(within(dialog).getByRole("textbox", { name: "Note" }), "storm");
  await userEvent.click(within(dialog).getByRole("button", { name: "Acknowledge" }));
  const notice = await within(dialog).findByRole("alert");
  expect(notice).toHaveTextContent("1 was not acknowledged: it has changed meanwhile");
  expect(notice).toHaveTextContent(`Incident ${first.incident_id}: It is assigned to malee now.`);
  await userEvent.click(within(dialog).getByRole("button", { name: "Send for 1 all the same" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(first.status).toBe("acknowledged");
});

it("offers a viewer no action and says which role is needed", async () => {
  renderPage(page);
  act(() => useSession.getState().signedIn("t", { ...operator, role: "viewer" }));
  await firstRow();
  expect(screen.getByText("Only engineers can act on incidents.")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Acknowledge" })).toBeNull();
});

it("says why the list could not be read", async () => {
  renderPage(page);
  server.use(http.get("*/api/v1/incidents", () => problem(403, "forbidden", "Not for you.")));
  expect(await screen.findByRole("alert")).toHaveTextContent("You do not have access to this.");
});
