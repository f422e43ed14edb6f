import { expect, it } from "vitest";

import { layersText, rangeText, ratio, spanText, sparsityText } from "./coder-words";

it("writes layers as runs", () => {
  expect(layersText([0, 1, 2, 5, 7, 8])).toBe("0–2, 5, 7–8");
  expect(layersText([])).toBe("");
});

it("writes spans, and one value where both ends read alike", () => {
  expect(spanText([1024, 1536], String)).toBe("1024–1536");
  expect(spanText([0.9301, 0.9299], ratio)).toBe("0.930");
  expect(spanText([], ratio)).toBeNull();
  expect(rangeText([], (judged) => judged.l0, ratio)).toBeNull();
});

it("names the nonlinearity", () => {
  expect(sparsityText({ nonlinearity: "topk", k: 16 })).toBe("TopK 16");
  expect(sparsityText({ nonlinearity: "relu", k: null })).toBe("ReLU");
});
