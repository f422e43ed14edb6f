import { useState, type CSSProperties, type MouseEvent } from "react";

import { tokenAtOffset, type TextSpan } from "./text-spans";

export interface TokenHeat {
  /** Ground of the token. */
  style: CSSProperties;
  /** `peak`: outlined; `from`: underlined. */
  mark?: "peak" | "from" | undefined;
}

export interface HeatEditorProps {
  text: string;
  spans: readonly TextSpan[];
  heat: (token: number) => TokenHeat;
  label: string;
  onChange: (text: string) => void;
  onPoint: (token: number | null) => void;
}

/** A text field whose tokens are coloured as they are typed: the colours lie under a transparent text area. */
export function HeatEditor({ text, spans, heat, label, onChange, onPoint }: HeatEditorProps) {
  const [caret, setCaret] = useState<number | null>(null);
  function point(event: MouseEvent) {
    const under = document
      .elementsFromPoint(event.clientX, event.clientY)
      .find(
        (element): element is HTMLElement => element instanceof HTMLElement && "token" in element.dataset,
      );
    const token = under?.dataset.token;
    onPoint(token === undefined ? caret : Number(token));
  }
  return (
    <div className="heat-editor">
      <p className="text" aria-hidden="true">
        {spans.map((span, index) => (
          <HeatSpan key={index} span={span} heat={heat} />
        ))}
        {"\u200b"}
      </p>
      <textarea
        className="text"
        aria-label={label}
        value={text}
        spellCheck={false}
        maxLength={20_000}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        onSelect={(event) => {
          const token = tokenAtOffset(spans, event.currentTarget.selectionStart);
          setCaret(token);
          onPoint(token);
        }}
        onMouseMove={point}
        onMouseLeave={() => {
          onPoint(caret);
        }}
      />
    </div>
  );
}

function HeatSpan({ span, heat }: { span: TextSpan; heat: HeatEditorProps["heat"] }) {
  if (span.token === null) return <span>{span.text}</span>;
  const { style, mark } = heat(span.token);
  return (
    <span data-token={span.token} className={mark} style={style}>
      {span.text}
    </span>
  );
}
