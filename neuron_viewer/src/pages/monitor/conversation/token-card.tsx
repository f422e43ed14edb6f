import * as Popover from "@radix-ui/react-popover";
import { useState } from "react";

import type { TokenStatistics } from "@/api/types";

import { Alternatives } from "./alternatives";

export type PointedToken = { at: number; element: HTMLElement };

/** What a token's card hangs from, after the pointer has rested on it. */
export function usePointed(): [PointedToken | null, (at: number | null, element: HTMLElement | null) => void] {
  const [pointed, setPointed] = useState<PointedToken | null>(null);
  return [pointed, (at, element) => { setPointed(at !== null && element ? { at, element } : null); }];
}

/** A token's probability, rank and alternatives, beside it while it is pointed at or has the focus. */
export function TokenCard({ pointed, token }: { pointed: PointedToken; token: TokenStatistics }) {
  return (
    <Popover.Root open>
      <Popover.Anchor virtualRef={{ current: pointed.element }} />
      <Popover.Portal>
        <Popover.Content
          className="pop tokencard"
          side="top"
          align="start"
          sideOffset={6}
          collisionPadding={8}
          onOpenAutoFocus={prevent}
          onCloseAutoFocus={prevent}
        >
          <Alternatives token={token} at={pointed.at} onBranch={null} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function prevent(event: Event) {
  event.preventDefault();
}
