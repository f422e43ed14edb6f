import { CopyButton } from "@/components/copy-button";

/** What to type to use a dataset or coders that are not served yet. */
export function ServeLine({ model, option }: { model: string; option: string }) {
  const line = `tdb serve --model ${/^[\w./-]+$/.test(model) ? model : `'${model}'`} ${option}`;
  return (
    <>
      <code className="wrap">{line}</code> <CopyButton text={line}>Copy</CopyButton>
    </>
  );
}
