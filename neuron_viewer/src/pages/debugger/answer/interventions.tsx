import * as Popover from "@radix-ui/react-popover";
import { useState } from "react";

import { ApiError } from "@/api/errors";

import type { PageState } from "../page-state";
import { AddIntervention } from "./add-intervention";
import { InterventionChip } from "./intervention-chip";

/** The edits of the left case, as sentences in the order they apply, and Add. */
export function Interventions({ page }: { page: PageState }) {
  const { interventions } = page.question.left;
  const [adding, setAdding] = useState(false);
  const some = interventions.length > 0;
  const { error } = page.result;
  const field = error instanceof ApiError ? error.field : null;
  const refused = field?.name === "interventions" && field.side === 0 ? field.place : null;
  return (
    <div className={some ? "edits two-l" : "edits"}>
      <span className="label">{some ? "Interventions on the left case" : "Interventions"}</span>
      {some ? (
        <span className="chips">
          {interventions.map((spec, place) => (
            <InterventionChip
              key={`${place} ${spec.component}`}
              page={page}
              spec={spec}
              place={place}
              refused={place === refused}
            />
          ))}
          <Add />
        </span>
      ) : (
        <>
          <span className="note">
            none; <kbd>a</kbd> ablates the selected row
          </span>
          <Add />
        </>
      )}
    </div>
  );

  function Add() {
    return (
      <Popover.Root open={adding} onOpenChange={setAdding}>
        <Popover.Trigger className="btn small add">Add</Popover.Trigger>
        <Popover.Portal>
          <Popover.Content className="pop stat ed" align="end" sideOffset={6} collisionPadding={8}>
            <AddIntervention page={page} onDone={() => { setAdding(false); }} />
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
    );
  }
}
