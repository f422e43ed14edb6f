import type { Damaged } from "@/api/jobs";

/** Folders that cannot be read; the others are not affected. */
export function DamagedList({ damaged }: { damaged: readonly Damaged[] }) {
  return damaged.map(({ path, message }) => (
    <div key={path} className="pad">
      <div className="err">
        <p>{message}</p>
        <p className="mid">
          Make it again, or delete <code className="wrap">{path}</code>.
        </p>
      </div>
    </div>
  ));
}
