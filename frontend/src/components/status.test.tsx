import { render, screen } from "@testing-library/react";
import i18next from "i18next";
import { describe, expect, it } from "vitest";

import { SeverityLabel, StatusCounts, StatusIcon, StatusLabel } from "./status";

const statuses = ["normal", "warning", "critical", "no_data"] as const;

describe("a status", () => {
  it.each([
    ["normal", "Normal"],
    ["warning", "Warning"],
    ["critical", "Critical"],
    ["no_data", "No data"],
  ] as const)("%s has a text beside its icon", (status, text) => {
    const { container } = render(<StatusLabel status={status} />);
    expect(screen.getByText(text)).toBeVisible();
    expect(container.querySelector("svg")).toHaveAttribute("aria-hidden", "true");
  });

  it("has a shape of its own each, so that colour is never alone", () => {
    const shapes = [...statuses, "info" as const].map((status) => {
      const { container, unmount } = render(<StatusIcon status={status} />);
      const shape = container.innerHTML.replace(/class="[^"]*"/g, "");
      unmount();
      return shape;
    });
    expect(new Set(shapes).size).toBe(5);
  });

  it("is never called proof of good condition", () => {
    render(<StatusLabel status="normal" />);
    expect(screen.getByTitle(/not proof of good condition/)).toHaveTextContent("Normal");
  });

  it("has no hint where it needs none", () => {
    render(<StatusLabel status="critical" />);
    expect(screen.getByText("Critical")).not.toHaveAttribute("title");
  });
});

it.each([
  ["info", "Info", "แจ้งให้ทราบ"],
  ["warning", "Warning", "เตือน"],
  ["critical", "Critical", "วิกฤต"],
] as const)("severity %s reads %s and %s", async (severity, english, thai) => {
  const { unmount } = render(<SeverityLabel severity={severity} />);
  expect(screen.getByText(english)).toBeVisible();
  unmount();
  await i18next.changeLanguage("th");
  render(<SeverityLabel severity={severity} />);
  expect(screen.getByText(thai)).toBeVisible();
});

describe("counts", () => {
  const counts = { normal: 190, warning: 3, critical: 0, no_data: 23 };

  it("come worst first, each with its name for a screen reader", () => {
    const { container } = render(<StatusCounts counts={counts} />);
    expect(container.textContent).toBe("0 Critical23 No data3 Warning190 Normal");
    expect(screen.getByText("Warning")).toHaveClass("sr-only");
  });

  it("show their names where there is room", () => {
    render(<StatusCounts counts={counts} named />);
    expect(screen.getByText("Warning")).not.toHaveClass("sr-only");
  });

  it("are quiet where there are none", () => {
    render(<StatusCounts counts={counts} />);
    expect(screen.getByTitle("Critical")).toHaveClass("text-muted");
    expect(screen.getByTitle("Warning")).not.toHaveClass("text-muted");
  });
});
