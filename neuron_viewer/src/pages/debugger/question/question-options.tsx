import { useQuery } from "@tanstack/react-query";

import { tokenizeQuery } from "@/api/queries";
import type { Objective } from "@/api/types";
import { Select } from "@/components/select";
import { Token } from "@/components/token";
import { visibleText } from "@/lib/format";

import { OBJECTIVE_NAMES } from "../objective-text";
import type { PageState } from "../page-state";
import { BasisSelects } from "./basis-selects";

/** Objective, position and the two bases. */
export function QuestionOptions({ page }: { page: PageState }) {
  const { question, actions } = page;
  const { left } = question;
  const { data } = useQuery({ ...tokenizeQuery(left.prompt), enabled: left.prompt !== "" });
  const tokens = data?.tokens ?? [];
  const position = left.position < 0 ? tokens.length - 1 : left.position;
  return (
    <span className="opts">
      <span className="label">Objective</span>
      <Select
        label="Objective"
        value={left.objective}
        options={OBJECTIVES}
        onChange={(objective) => {
          actions.ask((now) => ({
            ...now,
            left: { ...now.left, objective },
            right: now.right && { ...now.right, objective },
          }));
        }}
      />
      <span className="label">at</span>
      <Select
        label="Position"
        value={String(position)}
        options={tokens.map((token, index) => ({
          value: String(index),
          text: `${index} ${visibleText(token.text)}`,
        }))}
        onChange={(index) => {
          actions.setPosition(Number(index) === tokens.length - 1 ? -1 : Number(index));
        }}
      >
        {position < 0 ? "last" : position} <Token text={tokens[position]?.text ?? ""} />
      </Select>
      <BasisSelects page={page} />
    </span>
  );
}

const OBJECTIVES = (Object.keys(OBJECTIVE_NAMES) as Objective[]).map((value) => ({
  value,
  text: OBJECTIVE_NAMES[value],
}));
