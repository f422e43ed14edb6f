import { useLocation, useNavigate } from "react-router";

import { copyText } from "@/components/copy-button";
import { Menu, MenuItem } from "@/components/menu";

import { carriedSearch } from "./carried-search";
import { PAGES } from "./pages";
import { ThemeItems } from "./theme-menu";

type PhoneMenuProps = { onGoTo: () => void; onKeys: () => void };

/** On a phone the whole bar but name and model. */
export function PhoneMenu({ onGoTo, onKeys }: PhoneMenuProps) {
  const navigate = useNavigate();
  const search = carriedSearch(useLocation().search);
  return (
    <Menu trigger="Menu" className="btn menu">
      {PAGES.map(({ path, name }) => (
        <MenuItem key={path} onSelect={() => void navigate({ pathname: path, search })}>
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
