import { Menu, MenuItem } from "@/components/menu";
import { Token } from "@/components/token";
import { exampleQuestion } from "@/lib/question";

import type { PageState } from "../page-state";

/** Ready questions that this model is known to answer. */
export function ExamplesMenu({ page }: { page: PageState }) {
  const { examples } = page.model;
  if (examples.length === 0) return null;
  return (
    <Menu trigger="Examples">
      {examples.map((example) => (
        <MenuItem
          key={example.name}
          note={
            <>
              {example.prompt} <Token text={example.target} />
              {example.distractor && (
                <>
                  {" "}
                  over <Token text={example.distractor} />
                </>
              )}
            </>
          }
          onSelect={() => {
            page.actions.ask((now) => ({
              ...exampleQuestion(example),
              mlp_basis: now.mlp_basis,
              attention_basis: now.attention_basis,
              resid_basis: now.resid_basis,
              top_k: now.top_k,
            }));
          }}
        >
          <b>{example.name}</b>
        </MenuItem>
      ))}
    </Menu>
  );
}
