import * as Popover from "@radix-ui/react-popover";

import { flagSentence, FLAG_TITLE } from "@/lib/disagreement";

import { flagIn } from "./disagreement";
import { metricIn } from "./metrics";
import { useRowMeasured, useTable } from "./table-context";
import type { TableRow } from "./table-rows";
import { useHoverOpen } from "./use-hover-open";

/** Says that the estimate and the measured effect part ways; hover, focus or tap says how. */
export function FlagCell({ row }: { row: TableRow }) {
  const { showFlagged } = useTable();
  const measured = useRowMeasured();
  const { isOpen, setOpen, handlers } = useHoverOpen();
  const flag = flagIn(row, 0, measured);
  if (!flag) return null;
  const estimate = metricIn(row, "total_effect", 0, measured) ?? 0;
  const effect = metricIn(row, "measured_effect", 0, measured) ?? 0;
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Anchor asChild>
        <button
          type="button"
          className="flag"
          tabIndex={-1}
          aria-label={`${FLAG_TITLE[flag]} Why?`}
          onClick={(event) => event.stopPropagation()}
          {...handlers}
        >
          {flag}
        </button>
      </Popover.Anchor>
      <Popover.Portal>
        <Popover.Content
          className="pop stat"
          align="end"
          sideOffset={4}
          collisionPadding={8}
          onOpenAutoFocus={(event) => event.preventDefault()}
          onCloseAutoFocus={(event) => event.preventDefault()}
          onClick={(event) => event.stopPropagation()}
          {...handlers}
        >
          <p>
            <b className="alert">
              {flag} {FLAG_TITLE[flag]}
            </b>
          </p>
          <p className="mid">{flagSentence(estimate, effect)}</p>
          {showFlagged && (
            <p>
              <button type="button" className="btn small" onClick={showFlagged}>
                Only flagged rows
              </button>
            </p>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
