import type { UnreadableFile } from "@/api/jobs";

const NAMED = 6;

/** Which parts of a dataset cannot be read, and why; nothing where all can. */
export function UnreadableNote({ files }: { files: readonly UnreadableFile[] }) {
  if (files.length === 0) return null;
  const isText = files.some(({ groups }) => groups.length === 0);
  const groups = files.flatMap((file) => file.groups);
  const named = groups.slice(0, NAMED).join(", ");
  const more = groups.length > NAMED ? ` and ${groups.length - NAMED} more` : "";
  return (
    <span className="note alert" title={files.map(({ message }) => message).join("\n")}>
      {isText ? "Nothing in it can be read: its text is damaged" : `Cannot be read: ${named}${more}`} (
      {files[0]?.message}
      {files.length > 1 && ", \u2026"}). {isText ? "" : "The rest can. "}Copy the files again, or collate again.
    </span>
  );
}
