import { renderHook } from "@testing-library/react";
import { act } from "react";
import { expect, it } from "vitest";

import { operator } from "@/testing/handlers";

import { useMay, useSession } from "./session";

it.each([
  ["viewer", [true, false, false]],
  ["engineer", [true, true, false]],
  ["admin", [true, true, true]],
] as const)("%s may do what the role includes", (role, expected) => {
  useSession.getState().signedIn("token", { ...operator, role });
  const { result } = renderHook(() => [useMay("viewer"), useMay("engineer"), useMay("admin")]);
  expect(result.current).toEqual(expected);
});

it("permits nothing before sign-in and after sign-out", () => {
  const { result } = renderHook(() => useMay("viewer"));
  expect(result.current).toBe(false);
  act(() => useSession.getState().signedIn("token", operator));
  expect(result.current).toBe(true);
  act(() => useSession.getState().signedOut());
  expect(result.current).toBe(false);
  expect(useSession.getState().accessToken).toBeNull();
});
