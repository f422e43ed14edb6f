import { useState } from "react";

import { AblatedResult } from "./ablated-result";
import { NodeActions } from "./node-actions";
import { ActivationsAlong, AttentionFrom } from "./prompt-activations";
import { actionsFor } from "./row-actions";
import { RowFigures } from "./row-figures";
import { ScaleEditor } from "./scale-editor";
import { useTable } from "./table-context";
import type { TableRow } from "./table-rows";
import type { RowState } from "./use-row-state";
import { WriteTokens } from "./write-tokens";

type NodeDetailProps = { row: TableRow; state: RowState };

/** What can be done with a row, where its component acts on the prompt, and what its write says. */
export function NodeDetail({ row, state }: NodeDetailProps) {
  const { kind } = row.row;
  const { view } = useTable();
  const [where, setWhere] = useState(actionsFor(row, view.request).where);
  return (
    <div className="dt" onClick={(event) => event.stopPropagation()}>
      <NodeActions row={row} state={state} where={where} onWhere={setWhere} />
      {state.isScaling && <ScaleEditor row={row} where={where} onClose={() => state.setScaling(false)} />}
      <RowFigures row={row} />
      <div className="dgrid">
        <div>
          {kind === "attn" && <AttentionFrom row={row} />}
          {(kind === "mlp" || kind === "latent") && <ActivationsAlong row={row} />}
          {kind !== "bias" && kind !== "error" && <AblatedResult row={row} />}
        </div>
        <WriteTokens row={row} />
      </div>
    </div>
  );
}
