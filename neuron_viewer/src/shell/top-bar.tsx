import { useState } from "react";
import { NavLink, useLocation } from "react-router";

import { CopyButton } from "@/components/copy-button";
import { useKeys } from "@/lib/use-keys";

import { carriedSearch } from "./carried-search";
import { GoTo } from "./go-to";
import { KeysDialog } from "./keys-dialog";
import { LostServer } from "./lost-server";
import { ModelChip } from "./model-chip";
import { PAGES } from "./pages";
import { PhoneMenu } from "./phone-menu";
import { ThemeMenu } from "./theme-menu";
import { useServedData } from "./use-served-data";

type Dialog = "go-to" | "keys" | null;

/** Name, pages, model, and what works on every page. */
export function TopBar() {
  const [dialog, setDialog] = useState<Dialog>(null);
  useServedData();
  useKeys({
    "/": () => { setDialog("go-to"); },
    "?": () => { setDialog("keys"); },
  });
  const search = carriedSearch(useLocation().search);
  const close = (open: boolean) => { if (!open) setDialog(null); };
  return (
    <>
      <a className="btn skip" href="#page">
        Skip to the page
      </a>
      <header className="top">
        <NavLink className="brand" to={{ pathname: "/", search }}>
          Transformer Debugger
        </NavLink>
        <nav className="nav" aria-label="Pages">
          {PAGES.map(({ path, name }) => (
            <NavLink key={path} to={{ pathname: path, search }} end>
              {name}
            </NavLink>
          ))}
        </nav>
        <div className="end">
          <ModelChip />
          <button type="button" className="btn plain find" onClick={() => { setDialog("go-to"); }}>
            Go to{"\u2026"} <kbd>/</kbd>
          </button>
          <ThemeMenu />
          <CopyButton className="btn share" text={() => location.href}>
            Copy link
          </CopyButton>
        </div>
        <PhoneMenu onGoTo={() => { setDialog("go-to"); }} onKeys={() => { setDialog("keys"); }} />
      </header>
      <LostServer />
      <GoTo open={dialog === "go-to"} onOpenChange={close} onKeys={() => { setDialog("keys"); }} />
      <KeysDialog open={dialog === "keys"} onOpenChange={close} />
    </>
  );
}
