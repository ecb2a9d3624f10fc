import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { expect, it } from "vitest";

import type { LocationDetail, StringOut } from "@/api/types";
import type { FillBy } from "@/components/heat-fill";
import { MockFleet } from "@/testing/fleet";
import { renderPage } from "@/testing/render";

import { StringMap } from "./string-map";

/** Show two strings of a system, the second one after the first. */
function show(
  systemId: string,
  { fillBy = "status", change = {} }: { fillBy?: FillBy; change?: Partial<StringOut["state"]> } = {},
) {
  const fleet = new MockFleet();
  fleet.need("BAT-DC-SRC-01-UPS-01-STR-01-003").notJudged = [{ signal: "resistance", reason: "never_measured" }];
  const locationId = systemId.slice(0, 9);
  const location = fleet.location(locationId, Date.now());
  if (location === null) throw new Error(`no location ${locationId}`);
  const systems = fleet
    .systems(locationId)
    .filter((system) => system.system_id === systemId)
    .map((system) => ({
      ...system,
      strings: system.strings.slice(0, 2).map((string) => ({ ...string, state: { ...string.state, ...change } })),
    }));
  const detail: LocationDetail = { ...location, systems };
  return renderPage(
    { path: "/", element: <StringMap location={detail} fillBy={fillBy} showsRetired={false} /> },
    fleet,
  );
}

const cell = (name: string) => screen.getByRole("button", { name: new RegExp(`^${name}:`) });
const selectedCard = () => screen.getByRole("heading", { name: "Selected battery" }).closest("section") as HTMLElement;
const fact = (name: string) => within(selectedCard()).getByText(name).nextElementSibling?.textContent;

it("explains the keys until a battery is selected", async () => {
  show("DC-SRC-01-UPS-01");
  expect(screen.getByText("Use the arrow keys to move between batteries and Enter to open one.")).toBeVisible();
  await userEvent.hover(cell("UPS-01-STR-02-007"));
  expect(screen.queryByText(/^Use the arrow keys/)).toBeNull();
});

it("shows the battery under the pointer with status, values and a link", async () => {
  show("DC-SRC-01-UPS-01");
  await userEvent.hover(cell("UPS-01-STR-02-007"));
  expect(selectedCard()).toHaveTextContent("UPS-01-STR-02-007Critical");
  expect(fact("Temperature")).toBe("47.8 °C");
  expect(fact("Drift")).toBe("+38 %");
  expect(screen.getByRole("link", { name: "Open battery" })).toHaveAttribute(
    "href",
    "/batteries/BAT-DC-SRC-01-UPS-01-STR-02-007",
  );
});

it("is entered by Tab at its first battery, and left by the next Tab", async () => {
  show("DC-SRC-01-UPS-01");
  await userEvent.tab();
  expect(cell("UPS-01-STR-01-001")).toHaveFocus();
  await userEvent.tab();
  expect(screen.getByRole("link", { name: "Open battery" })).toHaveFocus();
});

it("moves to the ends of a row and stays at the edges", async () => {
  show("DC-SRC-01-UPS-01");
  await userEvent.tab();
  await userEvent.keyboard("{ArrowLeft}{ArrowUp}");
  expect(cell("UPS-01-STR-01-001")).toHaveFocus();
  await userEvent.keyboard("{End}{ArrowRight}");
  expect(cell("UPS-01-STR-01-024")).toHaveFocus();
  await userEvent.keyboard("{ArrowDown}{ArrowDown}");
  expect(cell("UPS-01-STR-02-024")).toHaveFocus();
  await userEvent.keyboard("{Home}");
  expect(cell("UPS-01-STR-02-001")).toHaveFocus();
  expect(selectedCard()).toHaveTextContent("UPS-01-STR-02-001");
});

it("comes back by Shift+Tab to the battery that was left", async () => {
  show("DC-SRC-01-UPS-01");
  await userEvent.tab();
  await userEvent.keyboard("{ArrowRight}{ArrowRight}");
  await userEvent.tab();
  await userEvent.tab({ shift: true });
  expect(cell("UPS-01-STR-01-003")).toHaveFocus();
});

it("opens a battery on a click", async () => {
  const { router } = show("DC-SRC-01-UPS-01");
  await userEvent.click(cell("UPS-01-STR-02-008"));
  expect(router.state.location.pathname).toBe("/batteries/BAT-DC-SRC-01-UPS-01-STR-02-008");
});

it("shows no values of a battery that never reported, and says so", async () => {
  show("DC-HDY-01-REC-01");
  await userEvent.hover(cell("REC-01-STR-02-024"));
  expect(cell("REC-01-STR-02-024")).toHaveAccessibleName("REC-01-STR-02-024: No data, 7 not judged, –");
  expect(fact("Voltage")).toBe("–");
  expect(selectedCard()).toHaveTextContent("No data received");
});

it("keeps the glyph of a critical battery whatever the cells are coloured by", () => {
  show("DC-SRC-01-UPS-01", { fillBy: "temperature_c" });
  expect(cell("UPS-01-STR-02-007")).toHaveTextContent("✕");
  expect(cell("UPS-01-STR-02-006").textContent).toBe("");
});

it("fills a bar by the value on its scale: full at the limit and past it", () => {
  show("DC-SRC-01-UPS-01", { fillBy: "temperature_c" });
  const barOf = (name: string) => Number.parseFloat(cell(name).querySelector("span")?.style.height ?? "");
  expect(barOf("UPS-01-STR-02-007")).toBe(100);
  expect(barOf("UPS-01-STR-02-006")).toBeGreaterThan(6);
  expect(barOf("UPS-01-STR-02-006")).toBeLessThan(80);
});

it("gives the float current of a string on float, and no values that it does not have", () => {
  show("DC-SRC-01-UPS-01");
  expect(screen.getByRole("group", { name: "UPS-01-STR-01" })).toHaveTextContent(/Float · 32\d\.\d V · 41 mA/);
});

it("shows an unknown mode with dashes", () => {
  show("DC-SRC-01-UPS-01", { change: { mode: null, voltage_v: null, current_a: null, time: null } });
  expect(screen.getByRole("group", { name: "UPS-01-STR-01" })).toHaveTextContent(
    "UPS-01-STR-01No data receivedMode unknown · – · –",
  );
});

it("heads the strings of a system with its runtime, and gives each string its own", () => {
  show("DC-CNX-01-UPS-01");
  expect(screen.getByText("UPS-01").parentElement).toHaveTextContent(/Warning: 2[67] min \(1[89]–3[45]\) at 384 A/);
  expect(screen.getByRole("group", { name: "UPS-01-STR-01" })).toHaveTextContent(
    /Warning: 2[67] min \(1[89]–3[45]\) at 74 A/,
  );
  expect(screen.getByRole("group", { name: "UPS-01-STR-02" })).toHaveTextContent("118 min (90–140) at 62 A");
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  show("DC-CNX-01-UPS-01");
  expect(screen.getByRole("group", { name: "UPS-01-STR-01" })).toHaveTextContent(/คายประจุ · 32\d\.\d V · -74\.2 A/);
  expect(cell("UPS-01-STR-01-001")).toHaveAccessibleName(/^UPS-01-STR-01-001: ปกติ, 13\.\d\d V$/);
});

it("does not show a normal battery like the others where the rules cannot judge something", async () => {
  show("DC-SRC-01-UPS-01");
  const name = /^UPS-01-STR-01-003: Normal, 1 not judged,/;
  const marked = await screen.findByRole("button", { name });
  expect(marked).toHaveTextContent("?");
  expect(cell("UPS-01-STR-01-004")).toHaveTextContent("");
  await userEvent.hover(marked);
  expect(selectedCard()).toHaveTextContent("UPS-01-STR-01-003Normal1 not judged");
});

it("colours by remaining life, and keeps an unknown one hatched and in words", async () => {
  show("DC-SRC-01-UPS-01", { fillBy: "rul_p10_days" });
  await waitFor(() => expect(cell("UPS-01-STR-02-008").getAttribute("aria-label")).toMatch(/\(P10\) 2\.\d years$/));
  const unknown = cell("UPS-01-STR-02-007");
  expect(unknown).toHaveAccessibleName("UPS-01-STR-02-007: Critical, Remaining life (P10) Unknown");
  expect(unknown).toHaveClass("hatched");
  expect(cell("UPS-01-STR-02-008")).not.toHaveClass("hatched");
  await userEvent.hover(unknown);
  expect(selectedCard()).toHaveTextContent("RUL P10 / P50 Unknown");
});
