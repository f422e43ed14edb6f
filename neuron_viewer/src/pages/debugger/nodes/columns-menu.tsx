import * as Menu from "@radix-ui/react-dropdown-menu";

import { CHOICE_LABELS, CHOICES, type Choice } from "./column-plan";

type ColumnsMenuProps = { chosen: readonly Choice[]; onChange: (chosen: readonly Choice[]) => void };

/** Which columns the table shows beside the node. */
export function ColumnsMenu({ chosen, onChange }: ColumnsMenuProps) {
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger className="btn small plain hide-s">Columns</Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="pop list" align="end" sideOffset={4} collisionPadding={8}>
          {CHOICES.map((choice) => (
            <Menu.CheckboxItem
              key={choice}
              className="item choice"
              checked={chosen.includes(choice)}
              onSelect={(event) => event.preventDefault()}
              onCheckedChange={(on) =>
                onChange(CHOICES.filter((one) => (one === choice ? on : chosen.includes(one))))
              }
            >
              <span className="tick">
                <Menu.ItemIndicator>{"\u2713"}</Menu.ItemIndicator>
              </span>
              {CHOICE_LABELS[choice]}
            </Menu.CheckboxItem>
          ))}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}
