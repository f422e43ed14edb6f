import type { ReadoutMode } from "./text-readout";

export interface ReadoutSwitchProps {
  mode: ReadoutMode;
  isHead: boolean;
  onChange: (mode: ReadoutMode) => void;
}

/** What pointing at a token tells. */
export function ReadoutSwitch({ mode, isHead, onChange }: ReadoutSwitchProps) {
  const modes: { mode: ReadoutMode; name: string }[] = [
    { mode: "activation", name: isHead ? "attention" : "activation" },
    { mode: "ablated", name: "change in probability if ablated" },
  ];
  return (
    <>
      <span className="label hide-s">Hover shows</span>
      <span className="seg" role="group" aria-label="Hover shows">
        {modes.map((one) => (
          <button
            key={one.mode}
            type="button"
            aria-pressed={mode === one.mode}
            onClick={() => {
              onChange(one.mode);
            }}
          >
            {one.name}
          </button>
        ))}
      </span>
    </>
  );
}
