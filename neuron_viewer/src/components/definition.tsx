import * as Popover from "@radix-ui/react-popover";
import { type FocusEvent, type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from "react";

import { TERMS } from "@/lib/define";
import { formatExact } from "@/lib/format";

import { CopyButton } from "./copy-button";

type Shown = { term: string; exact: string | null; unit: string | null; node: string | null };
const OPEN_AFTER = 300;
const CLOSE_AFTER = 150;

/** One popover for the whole page: shows what the `define(...)`d thing under the pointer or focus means. */
export function DefinitionHost({ glossary, children }: { glossary: Record<string, string>; children: ReactNode }) {
  const [shown, setShown] = useState<Shown | null>(null);
  const anchor = useRef<Element>(document.body);
  const timer = useRef<number | undefined>(undefined);

  function later(delay: number, act: () => void) {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(act, delay);
  }
  function close() {
    setShown(null);
  }
  function open(element: Element) {
    const { define: term, exact, unit, node } = (element as HTMLElement).dataset;
    if (!term || !element.isConnected) return;
    anchor.current = element;
    setShown({ term, exact: exact ?? null, unit: unit ?? null, node: node ?? null });
  }
  function onPoint(event: PointerEvent | FocusEvent) {
    const element = defined(event.target);
    if (element) {
      later(OPEN_AFTER, () => {
        open(element);
      });
    }
  }
  function onLeave(event: PointerEvent | FocusEvent) {
    if (defined(event.target)) later(CLOSE_AFTER, close);
  }
  function onKeyDown(event: KeyboardEvent) {
    const element = event.key === "?" ? defined(event.target) : null;
    if (!element) return;
    event.preventDefault();
    event.stopPropagation();
    window.clearTimeout(timer.current);
    open(element);
  }

  return (
    <div
      className="contents"
      onPointerOver={onPoint}
      onPointerOut={onLeave}
      onFocus={onPoint}
      onBlur={onLeave}
      onKeyDown={onKeyDown}
      onPointerDown={() => {
        window.clearTimeout(timer.current);
      }}
    >
      {children}
      <Popover.Root open={shown !== null} onOpenChange={close}>
        <Popover.Anchor virtualRef={anchor} />
        <Popover.Portal>
          <Popover.Content
            className="pop stat define"
            role="tooltip"
            sideOffset={6}
            collisionPadding={8}
            onOpenAutoFocus={preventDefault}
            onCloseAutoFocus={preventDefault}
            onFocusOutside={preventDefault}
            onPointerEnter={() => {
              window.clearTimeout(timer.current);
            }}
            onPointerLeave={() => {
              later(CLOSE_AFTER, close);
            }}
          >
            {shown && <DefinitionCard {...shown} sentence={glossary[shown.term]} />}
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
    </div>
  );
}

function DefinitionCard({ term, exact, unit, node, sentence }: Shown & { sentence: string | undefined }) {
  const known = TERMS[term];
  const value = exact === null ? null : `${formatExact(Number(exact))}${unit ? ` ${unit}` : ""}`;
  return (
    <>
      <p>
        <b>{known?.title ?? term.replaceAll("_", " ")}</b>{" "}
        {known?.estimate && <span className="tag">estimate</span>}
      </p>
      {sentence && <p className="mid">{sentence}</p>}
      {known?.formula && <p className="mono f">{known.formula}</p>}
      {(value !== null || node) && (
        <dl className="kv">
          {value !== null && <dt>exact</dt>}
          {value !== null && <dd className="mono">{value}</dd>}
          {node && <dt>node</dt>}
          {node && <dd className="mono">{node}</dd>}
        </dl>
      )}
      {exact !== null && (
        <p>
          <CopyButton text={exact}>Copy</CopyButton>
        </p>
      )}
    </>
  );
}

function defined(target: EventTarget): Element | null {
  return target instanceof Element ? target.closest("[data-define]") : null;
}

function preventDefault(event: Event) {
  event.preventDefault();
}
