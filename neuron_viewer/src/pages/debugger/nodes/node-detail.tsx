import { useState } from "react";

import { AblatedResult } from "./ablated-result";
import { LatentPairs } from "./latent-pairs";
import { NodeActions } from "./node-actions";
import { ActivationsAlong, AttentionFrom } from "./prompt-activations";
import { actionsFor } from "./row-actions";
import { RowExplanations } from "./row-explanations";
import { RowFigures } from "./row-figures";
import { ScaleEditor } from "./scale-editor";
import { useTable } from "./table-context";
import type { TableRow } from "./table-rows";
import { WriteTokens } from "./write-tokens";

type NodeDetailProps = { row: TableRow; isScaling: boolean; onScaling: (on: boolean) => void };

/** What can be done with a row, where its component acts on the prompt, and what its write says. */
export function NodeDetail({ row, isScaling, onScaling }: NodeDetailProps) {
  const { kind } = row.row;
  const { view } = useTable();
  const [where, setWhere] = useState(actionsFor(row, view.request).where);
  return (
    <div className="dt" onClick={(event) => event.stopPropagation()}>
      <NodeActions row={row} isScaling={isScaling} onScaling={onScaling} where={where} onWhere={setWhere} />
      {isScaling && <ScaleEditor row={row} where={where} onClose={() => onScaling(false)} />}
      <RowExplanations row={row} />
      <RowFigures row={row} />
      <div className="dgrid">
        <div>
          {kind === "attn" && <AttentionFrom row={row} />}
          {(kind === "mlp" || kind === "latent") && <ActivationsAlong row={row} />}
          {kind === "latent" && row.row.component.startsWith("attn_ae_") && <LatentPairs row={row} />}
          {kind !== "bias" && <AblatedResult row={row} />}
        </div>
        <WriteTokens row={row} />
      </div>
    </div>
  );
}
