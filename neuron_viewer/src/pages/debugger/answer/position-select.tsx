import { Select } from "@/components/select";
import { visibleText } from "@/lib/format";

import type { PageState } from "../page-state";

type PositionSelectProps = {
  label: string;
  page: PageState;
  positions: readonly number[] | null;
  onChange: (positions: number[] | null) => void;
};

/** One token, or all of them; a list that an edit came with stays as it is. */
export function PositionSelect({ label, page, positions, onChange }: PositionSelectProps) {
  const tokens = page.result.answered?.response.cases[0]?.tokens ?? [];
  const options = [
    { value: "all", text: "all positions" },
    ...tokens.map((token, index) => ({ value: String(index), text: `${index} ${visibleText(token.text)}` })),
  ];
  const value = positions === null ? "all" : positions.join(", ");
  const known = options.some((option) => option.value === value);
  return (
    <Select
      label={label}
      value={value}
      options={known ? options : [...options, { value, text: value }]}
      onChange={(chosen) => {
        if (chosen === "all") onChange(null);
        else if (/^\d+$/.test(chosen)) onChange([Number(chosen)]);
      }}
    />
  );
}
