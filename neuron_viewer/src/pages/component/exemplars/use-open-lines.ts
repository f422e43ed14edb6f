import { useCallback, useState } from "react";

export interface OpenLines {
  has: (key: string) => boolean;
  toggle: (key: string) => void;
}

/** Which lines show their whole excerpt: all or none, but for those that were clicked. */
export function useOpenLines(all: boolean): OpenLines {
  const [clicked, setClicked] = useState<{ all: boolean; keys: ReadonlySet<string> }>({ all, keys: new Set() });
  const keys = clicked.all === all ? clicked.keys : new Set<string>();
  const toggle = useCallback(
    (key: string) => {
      setClicked((old) => {
        const next = new Set(old.all === all ? old.keys : []);
        if (!next.delete(key)) next.add(key);
        return { all, keys: next };
      });
    },
    [all],
  );
  return { has: (key) => keys.has(key) !== all, toggle };
}
