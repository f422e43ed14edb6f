/** What the table of datasets lists: those that are served, wherever they lie, then the others on the server's shelf. */
import type { StoredDataset } from "@/api/jobs";
import type { DatasetInfo } from "@/api/types";

export type ListedDataset = DatasetInfo & { isServed: boolean; is_bundled: boolean; serve_option: string };

export function listedDatasets(stored: readonly StoredDataset[], served: readonly DatasetInfo[]): ListedDataset[] {
  const paths = new Set(served.map(({ path }) => path));
  const ofPath = new Map(stored.map((one) => [one.path, one]));
  return [
    ...served.map((one) => ({ is_bundled: false, serve_option: "", ...(ofPath.get(one.path) ?? one), isServed: true })),
    ...stored.filter(({ path }) => !paths.has(path)).map((one) => ({ ...one, isServed: false })),
  ];
}
