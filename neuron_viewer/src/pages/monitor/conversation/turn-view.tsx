import type { ReactNode } from "react";

import { TokenStrip, type StripActs } from "./token-strip";
import type { Turn } from "./turns";

const NAMES = { text: "Text", template: "Format", system: "System", you: "You", model: "Model" };

type TurnViewProps = {
  turn: Turn;
  heat: readonly number[] | null;
  maximum: number;
  picked: number | null;
  range: readonly [number, number] | null;
  acts: StripActs;
  /** What is said of the picked token, below the turn that holds it. */
  children?: ReactNode;
};

/** What one side said, its tokens coloured by their influence. */
export function TurnView({ turn, children, ...strip }: TurnViewProps) {
  return (
    <div className="msg">
      <span className="who">{NAMES[turn.who]}</span>
      <div>
        <TokenStrip turn={turn} {...strip} />
        {children}
      </div>
    </div>
  );
}
