import { useId, useState, type FormEvent } from "react";
import { useLocation, useNavigate } from "react-router";

import type { ModelResponse } from "@/api/types";
import { componentPath } from "@/lib/component-link";

import { findComponent } from "./bounds";

/** Type a component's name and go there; a name the model does not have is said so. */
export function JumpBox({ model }: { model: ModelResponse }) {
  const id = useId();
  const navigate = useNavigate();
  const { search } = useLocation();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  function go(event: FormEvent) {
    event.preventDefault();
    const found = findComponent(text, { ...model, coder: new URLSearchParams(search).get("coder") });
    if ("problem" in found) {
      setProblem(found.problem);
      return;
    }
    setText("");
    setProblem(null);
    void navigate(componentPath(found.component.name, search, model.coders));
  }
  return (
    <form className="jump" onSubmit={go} role="search" noValidate>
      <input
        className="field mono"
        aria-label="Go to a component"
        placeholder="Go to component"
        value={text}
        autoComplete="off"
        spellCheck={false}
        maxLength={64}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : id}
        onChange={(event) => {
          setText(event.target.value);
          setProblem(null);
        }}
      />
      {problem !== null && (
        <p id={id} className="jump-problem pop" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
