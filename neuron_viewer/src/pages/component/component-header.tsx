import type { Component } from "@/lib/node";
import { Link, useLocation, useNavigate } from "react-router";

import type { ModelResponse } from "@/api/types";
import { KindMark } from "@/components/kind-mark";

import { describeComponent, neighbours, type Direction } from "./bounds";
import { DatasetSelect } from "./dataset-select";
import { debuggerSearch } from "@/lib/debugger-link";
import { JumpBox } from "./jump-box";
import { publicPages } from "./public-pages";
import { usePageCoder } from "./page-coder";
import { useNeighbourKeys } from "./use-neighbour-keys";

/** Stands where there is no neighbour. */
const END = "\u2013";

export interface ComponentHeaderProps {
  component: Component;
  model: ModelResponse;
}

/** Name, place in the model, and the ways to its neighbours. */
export function ComponentHeader({ component, model }: ComponentHeaderProps) {
  const { search } = useLocation();
  const navigate = useNavigate();
  const bounds = { ...model, coder: usePageCoder() };
  const around = neighbours(component, bounds);
  const pathOf = (to: Component) => `/component/${to.name}${search}`;
  useNeighbourKeys((direction) => {
    const to = around[direction];
    if (to) void navigate(pathOf(to));
    return to !== null;
  });
  function step(direction: Direction, text: (to: Component) => string, title: string) {
    const to = around[direction];
    if (!to) {
      return (
        <button type="button" disabled aria-label={`${title}: none`}>
          {END}
        </button>
      );
    }
    return (
      <Link to={pathOf(to)} title={title} aria-label={`${title}: ${to.name}`}>
        {text(to)}
      </Link>
    );
  }
  return (
    <section className="chead">
      <div className="cname">
        <KindMark kind={component.kind} />
        <h1 className="mono">{component.name}</h1>
        <span className="mid">{describeComponent(component, bounds)}</span>
      </div>
      <div className="cnav">
        {component.index !== null && (
          <span className="seg">
            {step("previous", (to) => `\u2190 ${to.index ?? ""}`, "Previous, key [ or Left")}
            {step("next", (to) => `${to.index ?? ""} \u2192`, "Next, key ] or Right")}
          </span>
        )}
        {component.layer !== null && (
          <span className="seg">
            {step("below", (to) => `\u2193 L${to.layer ?? ""}`, "Layer below, Down")}
            {step("above", (to) => `\u2191 L${to.layer ?? ""}`, "Layer above, Up")}
          </span>
        )}
        <JumpBox model={model} />
        <DatasetSelect component={component} model={model} />
        {publicPages(component, model).map(({ site, url }) => (
          <a key={site} className="btn" href={url} target="_blank" rel="noreferrer">
            {site} {"\u2197"}
          </a>
        ))}
        <Link className="btn" to={{ pathname: "/", search: debuggerSearch(search, component.name, null, model) }}>
          Show in Debugger
        </Link>
        <Link
          className="btn primary"
          title="Ablate it at every position in the Debugger"
          to={{ pathname: "/", search: debuggerSearch(search, component.name, "ablate", model) }}
        >
          Intervene
        </Link>
      </div>
    </section>
  );
}
