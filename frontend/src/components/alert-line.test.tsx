import { render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router-dom";
import { expect, it } from "vitest";

import type { Alert } from "@/api/types";
import { MockFleet } from "@/testing/fleet";

import { AlertLine } from "./alert-line";
import { Breadcrumb, useTitle } from "./breadcrumb";

function show(change: Partial<Alert>) {
  const alert = new MockFleet().strike("BAT-DC-KKN-01-UPS-01-STR-01-003");
  render(
    <MemoryRouter>
      <ul>
        <AlertLine alert={{ ...alert, alert_id: 77, ...change }} />
      </ul>
    </MemoryRouter>,
  );
  return screen.getByRole("link");
}

it("links to the alert and says how bad, what, since when and where", () => {
  const link = show({});
  expect(link).toHaveAttribute("href", "/alerts/77");
  expect(link).toHaveTextContent(/CriticalHigh temperature0 s agoDC-KKN-01 · UPS-01-STR-01-003/);
});

it("links to the incident of the alert, with the alert marked", () => {
  expect(show({ incident_id: 12 })).toHaveAttribute("href", "/incidents/12?alert=77");
});

it("names the string of an alert without a battery", () => {
  expect(show({ battery_id: null })).toHaveTextContent("DC-KKN-01 · UPS-01-STR-01");
});

it("names the location alone where there is nothing smaller", () => {
  expect(show({ battery_id: null, string_id: null }).textContent).toMatch(/DC-KKN-01$/);
});

function TitledPage({ page }: { page: string | undefined }) {
  useTitle(page);
  return <Breadcrumb steps={[{ name: "Phuket", to: "/locations/DC-PKT-01" }, { name: "UPS-01" }]} />;
}

it("leads back along the breadcrumb and puts the page first in the tab's title", () => {
  const { rerender } = render(<TitledPage page="UPS-01" />, { wrapper: MemoryRouter });
  expect(screen.getByRole("navigation", { name: "Breadcrumb" })).toHaveTextContent("Fleet / Phuket / UPS-01");
  expect(screen.getAllByRole("link").map((link) => link.getAttribute("href"))).toEqual(["/", "/locations/DC-PKT-01"]);
  expect(document.title).toBe("UPS-01 · Battery monitor");
  rerender(<TitledPage page={undefined} />);
  expect(document.title).toBe("Battery monitor");
});
