/** A typed concept: nothing is done to it unasked, and the number of components shown is the one that is used. */
import { QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import { MemoryRouter } from "react-router";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";

import { createQueryClient } from "@/api/query-client";
import type { ConceptSpec, SteerPreviewRequest } from "@/api/types";
import { ConceptForm } from "@/pages/monitor/steer/concept-form";

/** How many sides match, and whether a dataset knows their quantiles. */
let world = { nMatches: 76, hasQuantiles: true };

const server = setupServer(
  http.post("*/api/monitor/steer_preview", async ({ request }) => {
    const { text, k } = (await request.json()) as SteerPreviewRequest;
    const matches = Array.from({ length: Math.min(k, world.nMatches) }, (_, index) => ({
      component: `mlp_L0_${index}`,
      kind: "mlp",
      layer: 0,
      side: "positive",
      explanation: text,
      score: null,
      similarity: 0.5,
      extreme: null,
    }));
    const extreme_level = world.hasQuantiles ? 1e-4 : null;
    return HttpResponse.json({ text, matches, n_matches: world.nMatches, min_similarity: 0.3, encoder: "e", extreme_level, timing_ms: {} });
  }),
);

beforeAll(() => { server.listen(); });
afterEach(() => { server.resetHandlers(); });
afterAll(() => { server.close(); });

async function typed(nMatches: number, hasQuantiles = true) {
  world = { nMatches, hasQuantiles };
  const onAdd = vi.fn<(concept: ConceptSpec) => void>();
  render(
    <QueryClientProvider client={createQueryClient()}>
      <MemoryRouter>
        <ConceptForm onAdd={onAdd} />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  fireEvent.change(screen.getByLabelText("Concept"), { target: { value: "days" } });
  await screen.findByRole("group", { name: "What to do with it" });
  return onAdd;
}
const choose = (name: string) => { fireEvent.click(screen.getByRole("button", { name })); };
const slider = () => screen.getByRole("slider", { name: "Components" });
const added = (onAdd: { mock: { calls: [ConceptSpec][] } }) => onAdd.mock.calls[0]?.[0];

it("does nothing before it is said what to do", async () => {
  const onAdd = await typed(76);
  for (const name of ["Suppress", "Strengthen"]) {
    expect(screen.getByRole("button", { name })).toHaveAttribute("aria-pressed", "false");
  }
  expect(screen.queryByRole("slider")).toBeNull();
  fireEvent.submit(screen.getByLabelText("Concept"));
  expect(onAdd).not.toHaveBeenCalled();
});

it("shows the number that is used, and says that no more match", async () => {
  const onAdd = await typed(76);
  choose("Suppress");
  expect(slider()).toHaveValue("76");
  expect(slider()).toHaveAttribute("max", "76");
  expect(screen.getByText("All that match: no more than 76 do.")).toBeInTheDocument();
  choose("Suppress 76 components");
  expect(added(onAdd)).toMatchObject({ name: "days", strength: 0 });
  expect(added(onAdd)?.members).toHaveLength(76);
});

it("takes fewer to strengthen, and any number up to the most", async () => {
  const onAdd = await typed(76);
  choose("Strengthen");
  expect(slider()).toHaveValue("50");
  fireEvent.change(slider(), { target: { value: "3" } });
  expect(slider()).toHaveAttribute("max", "76");
  choose("Strengthen 3 components");
  expect(added(onAdd)).toMatchObject({ strength: 0.5 });
  expect(added(onAdd)?.members).toHaveLength(3);
});

it("says where the most that can be taken is less than match", async () => {
  await typed(1203);
  choose("Suppress");
  expect(slider()).toHaveValue("500");
  expect(screen.getByText("At most 500: the most similar of the 1,203 that match.")).toBeInTheDocument();
});

it("does not strengthen without quantiles, and says what is needed", async () => {
  await typed(76, false);
  choose("Strengthen");
  expect(screen.getByText(/needs a dataset/)).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Strengthen 50 components" })).toBeDisabled();
});
