import type { ModelResponse } from "@/api/types";
import { KindMark } from "@/components/kind-mark";
import { formatCount, NONE } from "@/lib/format";

import { layersText, SITE_NAMES, spanText } from "./coder-words";

/** A coder set that is served from files of another format: it has no card, so only what was loaded is known. */
export function CardlessRow({ coders }: { coders: ModelResponse["coders"][number] }) {
  const { name, site, layers, n_latents_by_layer: latents } = coders;
  return (
    <tr>
      <th scope="row">
        <span className="node">
          <KindMark kind="latent" />
          <b>{name}</b>
        </span>
        <span className="note">read from another format, which has no training card</span>
      </th>
      <td data-label="Site">{SITE_NAMES[site] ?? site}</td>
      <td data-label="Layers">{layersText(layers)}</td>
      <td data-label="Latents" className="num">{spanText(latents, formatCount) ?? NONE}</td>
      {["Explained variance", "L0", "Dead", "Loss recovered", "Size"].map((label) => (
        <td key={label} data-label={label} className="num">{NONE}</td>
      ))}
      <td data-label="Served">
        <span className="ok">served</span>
      </td>
    </tr>
  );
}
