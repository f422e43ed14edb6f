import * as Dialog from "@radix-ui/react-dialog";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import { useLocation, useNavigate } from "react-router";

import { modelQuery } from "@/api/queries";

import { destinations } from "./destinations";

type GoToProps = { open: boolean; onOpenChange: (open: boolean) => void; onKeys: () => void };

/** Type a component's name or a page; Enter goes there. */
export function GoTo({ open, onOpenChange, onKeys }: GoToProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="veil" />
        <Dialog.Content className="dialog" aria-describedby={undefined}>
          <Dialog.Title className="sr">Go to a component or page</Dialog.Title>
          <Finder onDone={() => { onOpenChange(false); }} onKeys={onKeys} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Finder({ onDone, onKeys }: { onDone: () => void; onKeys: () => void }) {
  const navigate = useNavigate();
  const { search } = useLocation();
  const { data: model } = useQuery(modelQuery());
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const found = destinations(text, model, search);
  const chosen = Math.min(at, found.length - 1);

  function go(place: number) {
    const destination = found[place];
    if (!destination) return;
    onDone();
    if (destination.to === "keys") onKeys();
    else void navigate({ pathname: destination.to, search: destination.search });
  }
  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt((chosen + step + found.length) % Math.max(1, found.length));
    }
    if (event.key === "Enter") go(chosen);
  }
  return (
    <>
      <input
        autoFocus
        role="combobox"
        aria-label="Go to a component or page"
        aria-expanded="true"
        aria-controls="destinations"
        aria-activedescendant={found.length > 0 ? `destination-${chosen}` : undefined}
        placeholder="A head, neuron or latent, or a page"
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="destinations" role="listbox" aria-label="Found" className="list pad">
        {found.map(({ to, name, note }, place) => (
          <div
            key={to}
            id={`destination-${place}`}
            role="option"
            aria-selected={place === chosen}
            className="item"
            ref={place === chosen ? (item) => item?.scrollIntoView({ block: "nearest" }) : undefined}
            onClick={() => { go(place); }}
          >
            <span>{name}</span>
            <span className="note">{note}</span>
          </div>
        ))}
        {found.length === 0 && (
          <p className="note">
            Nothing of that name. Write a head as attn_L9_9, a neuron as mlp_L3_117, a latent as mlp_ae_L3_117.
          </p>
        )}
      </div>
    </>
  );
}
