import { useNavigate } from "react-router";

import { copyText } from "@/components/copy-button";
import { Menu, MenuItem } from "@/components/menu";

import { PAGES } from "./pages";
import { ThemeItems } from "./theme-menu";

type PhoneMenuProps = { onGoTo: () => void; onKeys: () => void };

/** On a phone the whole bar but name and model. */
export function PhoneMenu({ onGoTo, onKeys }: PhoneMenuProps) {
  const navigate = useNavigate();
  return (
    <Menu trigger="Menu" className="btn menu">
      {PAGES.map(({ path, name }) => (
        <MenuItem key={path} onSelect={() => void navigate(path)}>
          {name}
        </MenuItem>
      ))}
      <div className="sep" />
      <MenuItem onSelect={onGoTo}>Go to{"\u2026"}</MenuItem>
      <MenuItem onSelect={() => void copyText(location.href)}>Copy link</MenuItem>
      <MenuItem onSelect={onKeys}>All keys</MenuItem>
      <div className="sep" />
      <ThemeItems />
    </Menu>
  );
}
