import * as Popover from "@radix-ui/react-popover";
import { useIsFetching, useQuery } from "@tanstack/react-query";

import { healthQuery, modelQuery } from "@/api/queries";
import type { ModelResponse } from "@/api/types";
import { formatCount } from "@/lib/format";

/** Which model answers, and whether it is ready, at work, or gone. */
export function ModelChip() {
  const { data: model } = useQuery(modelQuery());
  const health = useQuery(healthQuery());
  const asked = useIsFetching({ queryKey: ["debug"] });
  const state = health.isError ? "lost" : asked > 0 || health.data?.busy ? "busy" : "ready";
  return (
    <Popover.Root>
      <Popover.Trigger className="model" aria-label={`Model ${model?.name ?? ""}, ${state}`}>
        <i className={state} />
        {model?.name ?? "no model yet"}
        {model && (
          <span className="quiet dims">
            {model.n_layers} {"\u00d7"} {model.n_heads} heads {"\u00b7"} {formatCount(model.d_mlp)}
          </span>
        )}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="pop stat define" align="end" sideOffset={6} collisionPadding={8}>
          {model ? <ModelCard model={model} state={state} /> : <p className="mid">The server is {state}.</p>}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function ModelCard({ model, state }: { model: ModelResponse; state: string }) {
  const facts: [string, string][] = [
    ["family", model.family],
    ["parameters", formatCount(model.n_parameters)],
    ["layers", formatCount(model.n_layers)],
    ["heads", `${model.n_heads}, ${model.n_kv_heads} for keys and values`],
    ["neurons a layer", formatCount(model.d_mlp)],
    ["width", formatCount(model.d_model)],
    ["context", `${formatCount(model.n_ctx)} tokens`],
    ["vocabulary", formatCount(model.n_vocab)],
    ["runs on", `${model.device} in ${model.dtype}`],
    ["autoencoders", model.coders.map((coder) => coder.name).join(", ") || "none loaded"],
  ];
  return (
    <>
      <p>
        <b>{model.name}</b> <span className="tag">{state}</span>
      </p>
      <dl className="kv">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="note">Another model: start the server with --model NAME.</p>
    </>
  );
}
