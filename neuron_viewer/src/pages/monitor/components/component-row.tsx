import { Link } from "react-router";

import type { InfluenceItem } from "@/api/types";
import { KindMark } from "@/components/kind-mark";
import { Token } from "@/components/token";
import { ValueBar } from "@/components/value-bar";
import { define } from "@/lib/define";
import { FLAG_TITLE, flagOf } from "@/lib/disagreement";
import { formatMagnitude } from "@/lib/format";

type ComponentRowProps = {
  item: InfluenceItem;
  index: number;
  /** What stands where it writes. */
  token: string;
  scale: number;
  /** Undefined while it is to come, null where it is not measured. */
  measured: number | null | undefined;
  onSteer: () => void;
};

export function ComponentRow({ item, index, token, scale, measured, onSteer }: ComponentRowProps) {
  const place = item.node.slice(item.component.length);
  const { attribution } = item;
  const flag = attribution === null || typeof measured !== "number" ? null : flagOf(attribution, measured);
  return (
    <tr aria-rowindex={index + 2}>
      <th scope="row">
        <span className="node">
          <KindMark kind={item.kind} />
          <Link className="mono" to={`/component/${item.component}`}>
            {item.component}
            <span className="at-sep">{place}</span>
          </Link>
        </span>
      </th>
      <td className="c-tok">
        <Token text={token} />
      </td>
      <td className="num">
        {item.kind !== "attn" && (
          <b className={item.side === "positive" ? "pos" : "neg"}>{item.side === "positive" ? "+" : "\u2212"}</b>
        )}
      </td>
      <td className="num" {...define("relative_activation", { exact: item.relative_activation })}>
        {item.relative_activation === null ? (
          <span className="quiet">{"\u2013"}</span>
        ) : (
          `${formatMagnitude(item.relative_activation)}\u00d7`
        )}
      </td>
      <td {...define("influence_attribution", { exact: attribution, node: item.node })}>
        <ValueBar value={attribution} scale={scale} estimated />
      </td>
      <td {...define("measured_effect", { exact: measured, node: item.node })}>
        {measured === undefined ? (
          <span className="pend" />
        ) : (
          <ValueBar value={measured} scale={scale} estimate={attribution} disagrees={flag !== null} />
        )}
      </td>
      <td className="c-flag">{flag && <span className="flag" title={FLAG_TITLE[flag]}>{flag}</span>}</td>
      <td className="c-pro">
        {item.explanation ?? <span className="quiet">no explanation yet</span>}
        <button type="button" className="btn plain small rowsteer" onClick={onSteer} aria-label={`Suppress ${item.component}`}>
          Suppress
        </button>
      </td>
    </tr>
  );
}
