import type { ReactNode } from "react";

type SelectProps<T extends string> = {
  label: string;
  value: T;
  options: readonly { value: T; text: string; disabled?: boolean }[];
  onChange: (value: T) => void;
  /** Drawn instead of the chosen option's text. */
  children?: ReactNode;
};

/** The browser's own select in our clothes: it works by keyboard, by touch and with a screen reader. */
export function Select<T extends string>({ label, value, options, onChange, children }: SelectProps<T>) {
  const chosen = options.find((option) => option.value === value);
  return (
    <span className="pick">
      <span aria-hidden="true">{children ?? chosen?.text ?? value}</span>
      <select
        aria-label={label}
        value={value}
        onChange={(event) => {
          const next = options.find((option) => option.value === event.target.value);
          if (next) onChange(next.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled}>
            {option.text}
          </option>
        ))}
      </select>
    </span>
  );
}
