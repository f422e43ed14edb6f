import * as DropdownMenu from "@radix-ui/react-dropdown-menu";
import type { ReactNode } from "react";

type MenuProps = {
  trigger: ReactNode;
  /** Classes of the button that opens it. */
  className?: string;
  label?: string;
  children: ReactNode;
};

/** A button that opens a list of actions. */
export function Menu({ trigger, className = "btn plain", label, children }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className={className} aria-label={label} title={label}>
        {trigger}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="pop list" align="end" sideOffset={4} collisionPadding={8}>
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

type MenuItemProps = {
  children: ReactNode;
  /** Shown small below or after the name. */
  note?: ReactNode;
  checked?: boolean;
  /** Keeps the menu open, for an item that confirms in place. */
  stay?: boolean;
  onSelect: () => void;
};

export function MenuItem({ children, note, checked, stay, onSelect }: MenuItemProps) {
  return (
    <DropdownMenu.Item
      className="item"
      aria-current={checked || undefined}
      onSelect={(event) => {
        if (stay) event.preventDefault();
        onSelect();
      }}
    >
      <span>{children}</span>
      {note && <span className="note">{note}</span>}
    </DropdownMenu.Item>
  );
}
