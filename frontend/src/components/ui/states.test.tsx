import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axios from "axios";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import type { ReactElement } from "react";
import { MemoryRouter } from "react-router-dom";
import { describe, expect, it, vi } from "vitest";

import { problem } from "@/testing/handlers";
import { server } from "@/testing/server";

import { EmptyState, ErrorState, NotFound, RefreshFailed, Skeleton } from "./states";

const show = (element: ReactElement) => render(<MemoryRouter>{element}</MemoryRouter>);

async function errorOf(response: () => Response): Promise<unknown> {
  server.use(http.get("*/broken", response));
  return axios.get("http://gateway/broken").catch((error: unknown) => error);
}

describe("an error", () => {
  it("shows the server's reason, the request and a way to retry", async () => {
    const retry = vi.fn();
    show(<ErrorState error={await errorOf(() => problem(500, "internal", "Something broke."))} onRetry={retry} />);
    const alert = screen.getByRole("alert");
    expect(alert).toHaveTextContent("Could not load the data.");
    expect(alert).toHaveTextContent("Something broke.");
    expect(alert).toHaveTextContent("Request ID: req-7f3a");
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(retry).toHaveBeenCalledTimes(1);
  });

  it("offers no retry where it cannot help", async () => {
    const error = await errorOf(() => problem(403, "forbidden", "DC-SRC-01 is not among your locations."));
    show(<ErrorState error={error} onRetry={() => undefined} />);
    expect(screen.getByRole("alert")).toHaveTextContent("You do not have access to this.");
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("becomes a page with a way back when there is no such thing", async () => {
    show(<ErrorState error={await errorOf(() => problem(404, "battery_not_found", "There is no battery X."))} />);
    expect(screen.getByText("There is no battery X.")).toBeVisible();
    expect(screen.getByRole("link", { name: "Back to fleet" })).toHaveAttribute("href", "/");
  });

  it("names the network when no answer came", async () => {
    show(<ErrorState error={await errorOf(() => HttpResponse.error())} />);
    expect(screen.getByRole("alert")).toHaveTextContent("The server is not responding.");
  });

  it.each([
    [404, "battery_not_found", "ไม่มีแบตเตอรี่นี้"],
    [403, "forbidden", "คุณไม่มีสิทธิ์เข้าถึงส่วนนี้"],
    [503, "twin_unavailable", "แบบจำลองดิจิทัลไม่ตอบสนอง"],
  ])("is Thai for a Thai user (%d)", async (status, code, text) => {
    await i18next.changeLanguage("th");
    show(<ErrorState error={await errorOf(() => problem(status, code, "An English sentence."))} />);
    expect(screen.getAllByText(new RegExp(text))[0]).toBeVisible();
    expect(screen.queryByText("An English sentence.")).toBeNull();
  });

  it("shows the server's sentence for a code without a text", async () => {
    await i18next.changeLanguage("th");
    show(<ErrorState error={await errorOf(() => problem(500, "brand_new", "An English sentence."))} />);
    expect(screen.getByText("An English sentence.")).toBeVisible();
  });
});

describe("a failed refresh", () => {
  const query = { isError: true, error: new Error("x"), dataUpdatedAt: Date.parse("2026-11-23T07:02:03Z") };

  it("states the time of the data shown, in Bangkok", async () => {
    const refetch = vi.fn();
    show(<RefreshFailed query={{ ...query, refetch }} />);
    expect(screen.getByRole("status")).toHaveTextContent("Could not refresh. Showing data from 14:02:03.");
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(refetch).toHaveBeenCalledTimes(1);
  });

  it.each([
    ["all is well", { isError: false }],
    ["there is no data yet", { dataUpdatedAt: 0 }],
  ])("shows nothing when %s", (_, change) => {
    show(<RefreshFailed query={{ ...query, ...change, refetch: () => undefined }} />);
    expect(screen.queryByRole("status")).toBeNull();
  });
});

it("announces loading and keeps the height of what comes", () => {
  show(<Skeleton height={210} />);
  expect(screen.getByRole("status", { name: "Loading" })).toHaveStyle({ height: "210px" });
});

it("has a page for an unknown address", () => {
  show(<NotFound />);
  expect(screen.getByText("Not found")).toBeVisible();
  expect(screen.getByText("The address is wrong or you do not have access.")).toBeVisible();
});

it("shows an empty state with hint and action only where given", () => {
  const { container } = show(<EmptyState title="No alerts" />);
  expect(container.querySelectorAll("p")).toHaveLength(1);
  show(<EmptyState title="Nothing" hint="Because" action={<button type="button">Do</button>} />);
  expect(screen.getByText("Because")).toBeVisible();
  expect(screen.getByRole("button", { name: "Do" })).toBeVisible();
});
