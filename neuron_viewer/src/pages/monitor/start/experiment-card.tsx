import type { MonitorExample } from "@/api/types";

type ExperimentCardProps = { experiment: MonitorExample; onRun: () => void };

/** An experiment that is known to end in another reply: what is asked, what is switched off, and what changes. */
export function ExperimentCard({ experiment, onRun }: ExperimentCardProps) {
  const { name, prompt, is_chat: isChat, concept, members, note } = experiment;
  const [before, after] = differing(experiment.default, experiment.steered);
  return (
    <li>
      <button type="button" className="expcard" onClick={onRun}>
        <b>{name}</b>
        <span className="mono askedtext">{prompt}{!isChat && "\u2026"}</span>
        <span className="exchange mono">
          <span>{before}</span>
          <span className="quiet" aria-label="becomes">{"\u2192"}</span>
          <b>{after}</b>
        </span>
        <span className="small mid">{note}</span>
        <span className="small quiet">
          Without {concept}: {members.length === 1 ? members[0]?.component : `${members.length} components`}
        </span>
      </button>
    </li>
  );
}

/** Both replies up to the first word that differs. */
export function differing(before: string, after: string): [string, string] {
  const [left, right] = [before.trim().split(/\s+/), after.trim().split(/\s+/)];
  const same = left.findIndex((word, index) => word !== right[index]);
  const end = (same < 0 ? left.length : same) + 1;
  const shown = (words: string[]) => {
    const text = words.slice(0, end).join(" ");
    return words.length > end ? `${text.replace(/[.,:;]+$/, "")}\u2026` : text;
  };
  return [shown(left), shown(right)];
}
