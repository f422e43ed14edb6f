/** A range that the text or the model has not is refused where it is typed. */
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { RangeText } from "@/pages/monitor/components/range-text";

function type(text: string, last: number | null = 13) {
  const onChange = vi.fn();
  render(<RangeText label="Tokens" range={null} last={last} onChange={onChange} />);
  const field = screen.getByLabelText(/^Tokens/);
  fireEvent.change(field, { target: { value: text } });
  fireEvent.keyDown(field, { key: "Enter" });
  return { field, onChange };
}

it.each([
  ["2-5", [2, 5]],
  ["13", [13, 13]],
])("takes %j", (text, range) => {
  const { onChange } = type(text);
  expect(onChange).toHaveBeenCalledWith(range);
  expect(screen.queryByRole("alert")).toBeNull();
});

it.each(["9-14", "14", "two", "-3"])("refuses %j, says what there is, and keeps what was typed", (text) => {
  const { field, onChange } = type(text);
  expect(onChange).not.toHaveBeenCalled();
  expect(screen.getByRole("alert")).toHaveTextContent("there are 0\u201313");
  expect(field).toHaveValue(text);
  fireEvent.change(field, { target: { value: "3" } });
  expect(screen.queryByRole("alert")).toBeNull();
});

it("says so of a range that a link brought", () => {
  render(<RangeText label="Tokens" range={[3, 20]} last={13} onChange={() => {}} />);
  expect(screen.getByRole("alert")).toHaveTextContent("there are 0\u201313");
});
