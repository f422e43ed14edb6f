import { useState } from "react";

import { Menu, MenuItem } from "@/components/menu";
import { storedTheme, storeTheme, type Theme } from "@/lib/theme";

const THEMES: { theme: Theme; name: string }[] = [
  { theme: "light", name: "Light" },
  { theme: "dark", name: "Dark" },
  { theme: "system", name: "As the system" },
];

export function ThemeMenu() {
  return (
    <Menu trigger={"\u25d0"} label="Theme">
      <ThemeItems />
    </Menu>
  );
}

export function ThemeItems() {
  const [chosen, setChosen] = useState(storedTheme);
  return THEMES.map(({ theme, name }) => (
    <MenuItem
      key={theme}
      checked={theme === chosen}
      onSelect={() => {
        storeTheme(theme);
        setChosen(theme);
      }}
    >
      {name}
    </MenuItem>
  ));
}
