import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "react-router";

import { activationsQuery } from "@/api/queries";
import { Async } from "@/components/async";
import { HeatLegend } from "@/components/heat-grid/heat-legend";
import { PatternView } from "@/components/heat-grid/pattern-view";
import { TableSwitch } from "@/components/heat-grid/table-switch";

import type { PanelProps } from "../view";
import { headName, headOf, leadingHeads, nodeInCase, pairOf, rowOfNode, type Head } from "./heads";
import { HeadChooser } from "./head-chooser";

/** Where one head attends: of the selected row, else of the leading head, unless another was chosen here. */
export function PatternPanel({ view, ui, actions }: PanelProps) {
  const { model, request, response } = view;
  const { search } = useLocation();
  const [choice, setChoice] = useState<{ head: Head; selected: string | null } | null>(null);
  const [asTable, setAsTable] = useState(false);
  const leading = leadingHeads(response.nodes);
  const chosen = choice !== null && choice.selected === ui.selected ? choice.head : null;
  const head = chosen ?? headOf(ui.selected, model) ?? headOf(leading[0] ?? null, model) ?? FIRST;
  const name = headName(head);
  const prompts = [...new Set(request.cases.map((one) => one.prompt))];
  const isLarge = Math.max(...response.cases.map((one) => one.tokens.length)) > LARGE;
  const [isAsked, setAsked] = useState(false);
  const query = useQuery({
    ...activationsQuery(name, prompts),
    placeholderData: keepPreviousData,
    enabled: !isLarge || isAsked,
  });
  const isEdited = request.cases.some((one) => one.interventions.length > 0);

  return (
    <section className="panel pattern" aria-labelledby="pattern-title">
      <header>
        <h2 id="pattern-title">Attention pattern</h2>
        <HeadChooser
          head={head}
          leading={leading.slice(0, 12)}
          model={model}
          onChoose={(next) => {
            setChoice({ head: next, selected: ui.selected });
          }}
        />
      </header>
      {isLarge && !isAsked && (
        <p className="pad mid">
          The pattern of a prompt this long is large.{" "}
          <button type="button" className="btn small" onClick={() => setAsked(true)}>
            Load it
          </button>
        </p>
      )}
      <Async
        query={query}
        loading={query.isFetching ? <div className="pad pattern-wait" aria-busy="true" /> : <></>}
      >
        {(data) => (
          <div className={query.isPlaceholderData ? "pad dim" : "pad"} aria-busy={query.isPlaceholderData}>
            <div className="pattern-sides">
              {data.results.map((result, index) => (
                <div key={index} className="pattern-side">
                  {prompts.length > 1 && <h3 className="label">{SIDES[index]}</h3>}
                  <PatternView
                    result={result}
                    head={data.component}
                    at={response.cases[index]?.objective.position ?? -1}
                    selected={pairOf(nodeInCase(response.nodes, ui.selected, index), data.component)}
                    asTable={asTable}
                    onPick={({ query: from, key }) => {
                      const picked = `${data.component}@${from}:${key}`;
                      actions.select(rowOfNode(response.nodes, picked, index));
                    }}
                  />
                </div>
              ))}
            </div>
            <div className="mapfoot rail-foot">
              <HeatLegend maximum={1} unit="attention" />
              {isEdited && <span className="note">not edited</span>}
              <span>
                <TableSwitch asTable={asTable} onChange={setAsTable} />
                <Link className="btn small plain" to={`/component/${name}${search}`}>
                  Open component
                </Link>
              </span>
            </div>
          </div>
        )}
      </Async>
    </section>
  );
}

const FIRST: Head = { layer: 0, index: 0 };
/** Tokens above which a pattern is fetched on request only: it grows with their square. */
const LARGE = 400;
const SIDES = ["Left", "Right"];
