import { useQuery } from "@tanstack/react-query";

import { tokenizeQuery } from "@/api/queries";

import type { PageState, Side } from "../page-state";
import { Candidates } from "./candidates";
import { PromptEditor, TrailingSpace } from "./prompt-editor";
import { PromptRow } from "./prompt-row";
import { endsInSpace } from "./token-warning";
import { type PromptEdit, withPrompt } from "./use-prompt-edit";

type PromptLineProps = { page: PageState; side: Side; edit: PromptEdit };

/** One prompt: as tokens with its candidates, or open for editing. */
export function PromptLine({ page, side, edit }: PromptLineProps) {
  const { question, result, actions, model } = page;
  const spec = question[side];
  const { data } = useQuery({ ...tokenizeQuery(spec?.prompt ?? ""), enabled: Boolean(spec?.prompt) });
  const name = question.right ? `Prompt, ${side}` : "Prompt";

  if (edit.side === side) {
    return (
      <PromptEditor
        name={name}
        text={edit.text}
        limit={model.n_ctx}
        onChange={edit.change}
        onRun={edit.run}
        onCancel={edit.cancel}
      />
    );
  }
  if (!spec) return null;
  const cases = result.stale ? [] : (result.answered?.response.cases ?? []);
  const shown = cases[side === "left" ? 0 : 1];
  const tokens = shown?.tokens ?? data?.tokens ?? [];
  const isEdited = !question.right && cases.length === 2;
  return (
    <>
      <PromptRow
        name={name}
        tokens={tokens}
        position={spec.position < 0 ? tokens.length - 1 : spec.position}
        onPosition={(position) => {
          const last = position === tokens.length - 1;
          actions.ask((now) => {
            const asked = now[side];
            return asked ? { ...now, [side]: { ...asked, position: last ? -1 : position } } : now;
          });
        }}
      >
        {shown && <Candidates result={shown} baseline={isEdited ? cases[1] : undefined} />}
        <span className="editp">
          <button type="button" className="btn plain" onClick={() => { edit.open(side); }}>
            Edit {question.right ? side : "prompt"} {side === "left" && <kbd>e</kbd>}
          </button>
          {side === "right" && (
            <button
              type="button"
              className="btn plain"
              onClick={() => { actions.ask((now) => ({ ...now, right: null, traces: [] })); }}
            >
              Remove
            </button>
          )}
        </span>
      </PromptRow>
      {endsInSpace(spec.prompt) && (
        <TrailingSpace
          onFix={() => {
            actions.ask((now) => withPrompt(now, side, spec.prompt.replace(/ +$/, "")));
          }}
        />
      )}
    </>
  );
}
