import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { expect, it, vi } from "vitest";

import { fillChoices } from "./heat-fill";
import { HeatLegend } from "./heat-legend";
import { FillSelect } from "./fill-select";

it("names every status, with the glyphs of the map", () => {
  const { container } = render(<HeatLegend fillBy="status" />);
  expect(container.textContent).toBe("✕CriticalNo data▲WarningNormal");
});

it.each([
  ["voltage_v", "Voltage: 13.2 V13.9 VNo data"],
  ["temperature_c", "Temperature: 20 °C35 °CNo data"],
  ["resistance_drift_pct", "Resistance drift: 0 %50 %No data"],
  ["age", "Data age: 0 s300 sNo data"],
  ["rul_p10_days", "Remaining life (P10): 0 d1825 dUnknown"],
] as const)("gives the ends of the scale of %s", (fillBy, text) => {
  const { container } = render(<HeatLegend fillBy={fillBy} />);
  expect(container.textContent).toBe(text);
});

it("translates seconds", async () => {
  await i18next.changeLanguage("th");
  const { container } = render(<HeatLegend fillBy="age" />);
  expect(container.textContent).toContain("300 วินาที");
});

it("offers every choice of colour", async () => {
  const change = vi.fn();
  render(<FillSelect value="status" choices={fillChoices} onChange={change} />);
  expect(screen.getAllByRole("option")).toHaveLength(fillChoices.length);
  await userEvent.selectOptions(screen.getByLabelText("Colour by"), "Resistance drift");
  expect(change).toHaveBeenCalledExactlyOnceWith("resistance_drift_pct");
});
