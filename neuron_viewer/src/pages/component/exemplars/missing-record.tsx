import { CopyButton } from "@/components/copy-button";

export interface MissingRecordProps {
  message: string;
  hint: string;
  /** The command that makes one, where there is one to copy. */
  command: string | null;
}

/** Why there is no record, and how one is made. */
export function MissingRecord({ message, hint, command }: MissingRecordProps) {
  return (
    <>
      <p className="mid">
        {message} {hint}
      </p>
      {command !== null && (
        <p className="warnrow">
          <code className="command">{command}</code>
          <CopyButton text={command}>Copy</CopyButton>
        </p>
      )}
    </>
  );
}
