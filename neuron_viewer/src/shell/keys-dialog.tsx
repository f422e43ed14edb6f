import * as Dialog from "@radix-ui/react-dialog";

type KeysDialogProps = { open: boolean; onOpenChange: (open: boolean) => void };

const KEYS: [string[], string][] = [
  [["Enter", "Ctrl Enter"], "run"],
  [["/"], "go to a component or page"],
  [["e"], "edit the prompt"],
  [["x"], "swap target and distractor"],
  [["\u2190", "\u2192"], "position, in the prompt's tokens"],
  [["f"], "filter rows"],
  [["j", "k", "\u2191", "\u2193"], "row"],
  [["Enter", "Space"], "open the row"],
  [["a", "p", "s"], "ablate, patch, scale the row's component"],
  [["q", "w", "b", "v"], "trace a head through query, key, both, value"],
  [["o"], "open the row's component"],
  [["[", "]"], "previous, next component"],
  [["\u2191", "\u2193"], "the component's layer above, below"],
  [["u", "U"], "undo, redo"],
  [["?"], "definition of the number in focus, or this list"],
];

/** Every key of the pages. */
export function KeysDialog({ open, onOpenChange }: KeysDialogProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="veil" />
        <Dialog.Content className="dialog" aria-describedby={undefined}>
          <header>
            <Dialog.Title>Keys</Dialog.Title>
            <Dialog.Close className="x" aria-label="Close">
              {"\u00d7"}
            </Dialog.Close>
          </header>
          <dl className="keys">
            {KEYS.map(([keys, does]) => (
              <div key={does}>
                <dt>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
