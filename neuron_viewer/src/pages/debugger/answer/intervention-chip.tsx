import * as Popover from "@radix-ui/react-popover";

import type { InterventionSpec } from "@/api/types";
import { Chip } from "@/components/chip";
import { KindMark } from "@/components/kind-mark";
import { placeWords, valueWords, verbWords } from "@/lib/intervention-words";
import { parseComponent } from "@/lib/node";

import type { PageState } from "../page-state";
import { InterventionEditor } from "./intervention-editor";

type InterventionChipProps = { page: PageState; spec: InterventionSpec; place: number; refused: boolean };

/** One edit as a sentence; its underlined parts open the editor. */
export function InterventionChip({ page, spec, place, refused }: InterventionChipProps) {
  const kind = parseComponent(spec.component)?.kind;
  const sentence = `${spec.component} ${verbWords(spec)} ${valueWords(spec)} at ${placeWords(spec)}`;
  return (
    <Chip
      tone="edit"
      bad={refused}
      name={sentence}
      onRemove={() => { page.actions.editIntervention(place, null); }}
    >
      {kind && <KindMark kind={kind} />}
      <span className="mono">{spec.component}</span> {verbWords(spec)}
      <Popover.Root>
        <Popover.Trigger className="value" aria-label={`Edit: ${sentence}`}>
          <u>{valueWords(spec)}</u> at <u>{placeWords(spec)}</u>
        </Popover.Trigger>
        <Popover.Portal>
          <Popover.Content className="pop stat ed" align="start" sideOffset={8} collisionPadding={8}>
            <InterventionEditor
              page={page}
              spec={spec}
              onChange={(next) => { page.actions.editIntervention(place, next); }}
            />
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
    </Chip>
  );
}
