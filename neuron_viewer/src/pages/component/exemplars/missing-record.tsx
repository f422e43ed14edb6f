import { Link, useSearchParams } from "react-router";

import { CopyButton } from "@/components/copy-button";

export interface MissingRecordProps {
  message: string;
  hint: string;
  /** The command that makes one, where there is one to copy. */
  command: string | null;
  /** Other datasets that hold the component. */
  elsewhere: string[];
}

/** Why there is no record, and how one is made. */
export function MissingRecord({ message, hint, command, elsewhere }: MissingRecordProps) {
  const [params] = useSearchParams();
  const searchOf = (dataset: string) => {
    const search = new URLSearchParams(params);
    search.set("dataset", dataset);
    return search.toString();
  };
  return (
    <>
      <p className="mid">
        {message} {hint}
      </p>
      {elsewhere.length > 0 && (
        <p className="warnrow">
          {elsewhere.map((dataset) => (
            <Link key={dataset} className="btn small" to={{ search: searchOf(dataset) }}>
              Look in {dataset}
            </Link>
          ))}
        </p>
      )}
      {command !== null && (
        <p className="warnrow">
          <code className="command">{command}</code>
          <CopyButton text={command}>Copy</CopyButton>
          <Link className="btn small" to="/data?new=collate">
            Collate here
          </Link>
        </p>
      )}
    </>
  );
}
