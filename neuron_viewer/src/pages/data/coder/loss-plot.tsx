import type { CoderJudgement } from "@/api/jobs";
import { define } from "@/lib/define";

import { percent } from "../coder-words";

/** What the loss becomes with the reconstruction in place, between the bare model's and that without the site. */
export function LossPlot({ judgement }: { judgement: CoderJudgement }) {
  const { loss_bare: bare, loss_spliced: spliced, loss_zero: zero, loss_recovered: recovered } = judgement;
  const most = Math.max(bare, spliced, zero) || 1;
  const rows = [
    { name: "bare model", value: bare, isMain: false },
    { name: "reconstruction", value: spliced, isMain: true },
    { name: "set to zero", value: zero, isMain: false },
  ];
  return (
    <figure className="lossplot">
      <dl>
        {rows.map(({ name, value, isMain }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num" {...define("loss", { exact: value, unit: "nats" })}>
              {value.toFixed(3)}
            </dd>
            <dd className="lbar" aria-hidden="true">
              <i className={isMain ? "main" : undefined} style={{ width: `${(100 * value) / most}%` }} />
            </dd>
          </div>
        ))}
      </dl>
      <figcaption>
        <b {...define("loss_recovered", { exact: recovered })}>{percent(recovered)}</b> of the loss is recovered: (zero
        {" \u2212 "}reconstruction) / (zero {"\u2212"} bare).
      </figcaption>
    </figure>
  );
}
