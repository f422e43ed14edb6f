import * as Popover from "@radix-ui/react-popover";

import { ServeLine } from "./serve-line";

type ServedCellProps = { isServed: boolean; name: string; model: string; option: string };

/** Whether something is served; if not, what to type so that it is. */
export function ServedCell({ isServed, name, model, option }: ServedCellProps) {
  if (isServed) return <span className="ok">served</span>;
  return (
    <Popover.Root>
      <Popover.Trigger className="btn small" aria-label={`Use ${name}`}>
        Use
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="pop stat define" align="end" sideOffset={4} collisionPadding={8}>
          <p className="mid">Start the server with it:</p>
          <p>
            <ServeLine model={model} option={option} />
          </p>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
