import { beforeEach, expect, it, vi } from "vitest";

async function load() {
  vi.resetModules();
  return import("@/pages/debugger/tour/first-visit");
}

beforeEach(() => {
  window.localStorage.clear();
});

it("offers the tour on the first visit alone", async () => {
  const first = await load();
  expect(first.isFirstVisit()).toBe(true);
  expect(first.isFirstVisit()).toBe(true);
  const second = await load();
  expect(second.isFirstVisit()).toBe(false);
});

it("does not offer it again once it was answered", async () => {
  const { isFirstVisit, endOffer } = await load();
  expect(isFirstVisit()).toBe(true);
  endOffer();
  expect(isFirstVisit()).toBe(false);
});

it("offers nothing where nothing can be remembered", async () => {
  vi.spyOn(Storage.prototype, "getItem").mockImplementation(() => {
    throw new Error("denied");
  });
  expect((await load()).isFirstVisit()).toBe(false);
});
