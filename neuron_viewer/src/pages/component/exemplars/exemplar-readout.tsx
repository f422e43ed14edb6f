import { Token } from "@/components/token";
import { valueAt } from "@/lib/excerpt";
import { formatMagnitude } from "@/lib/format";

import { signed, type ReadoutMode } from "../text-readout";
import type { BandLine } from "./bands";
import { ExcerptAblation } from "./excerpt-ablation";
import type { PointedToken } from "./use-pointed-token";

export type { ReadoutMode };

export interface ExemplarReadoutProps {
  component: string;
  pointed: PointedToken;
  line: BandLine | undefined;
  mode: ReadoutMode;
}

const WIDTH = 340;

/** What the pointed token of an exemplar says, beside it. */
export function ExemplarReadout({ component, pointed: { token, box }, line, mode }: ExemplarReadoutProps) {
  if (!line) return null;
  const { excerpt } = line;
  const { value, key } = valueAt(excerpt, token);
  const left = Math.max(8, Math.min(box.left, window.innerWidth - WIDTH - 8));
  return (
    <p className="pop exread" role="status" style={{ left, top: box.bottom + 4, maxWidth: WIDTH }}>
      <Token text={excerpt.tokens[token] ?? ""} index={token} />
      {key === null ? (
        <b className={value < 0 ? "neg" : "pos"}>{signed(value)}</b>
      ) : (
        <>
          <span className="quiet">writes most from</span>
          <Token text={excerpt.tokens[key] ?? ""} index={key} />
          <b>{formatMagnitude(value)}</b>
        </>
      )}
      {mode === "ablated" && <ExcerptAblation component={component} tokens={excerpt.tokens} token={token} />}
    </p>
  );
}
