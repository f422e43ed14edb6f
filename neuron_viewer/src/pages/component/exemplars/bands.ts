/** The exemplars of a record, sorted into the bands they are shown in. */
import type { ComponentRecord } from "@/api/types";
import { excerptOf, type Excerpt } from "@/lib/excerpt";
import { levelText } from "@/lib/standing";

export type BandFilter = "all" | "positive" | "negative" | "quantiles" | "random";

export interface Band {
  key: string;
  group: Exclude<BandFilter, "all">;
  title: string;
  note: string;
  excerpts: readonly Excerpt[];
}

/** Bands that have exemplars, from the largest values down, then the random sample. */
export function bandsOf({ exemplars }: Pick<ComponentRecord, "exemplars">): Band[] {
  const quantiles = [...exemplars.quantiles]
    .sort((a, b) => b.from - a.from)
    .map((band): Band => ({
      key: `quantile-${band.from}`,
      group: "quantiles",
      title: levelText(band.from),
      note: `to ${levelText(band.to)}`,
      excerpts: band.exemplars.map(excerptOf),
    }));
  const { top_positive, top_negative, random } = exemplars;
  const bands: Band[] = [
    { key: "positive", group: "positive", title: top_negative.length > 0 ? "Top +" : "Top", note: "largest", excerpts: top_positive.map(excerptOf) },
    { key: "negative", group: "negative", title: "Top \u2212", note: "smallest", excerpts: top_negative.map(excerptOf) },
    ...quantiles,
    { key: "random", group: "random", title: "Random", note: "any token", excerpts: random.map(excerptOf) },
  ];
  return bands.filter(({ excerpts }) => excerpts.length > 0);
}

export function filtered(bands: readonly Band[], filter: BandFilter): readonly Band[] {
  return filter === "all" ? bands : bands.filter(({ group }) => group === filter);
}

/** One line of the list; the first of its band carries the band's name. */
export interface BandLine {
  key: string;
  band: Band;
  excerpt: Excerpt;
  /** Place in the band, from 0. */
  place: number;
}

export function linesOf(bands: readonly Band[]): BandLine[] {
  return bands.flatMap((band) =>
    band.excerpts.map((excerpt, place) => ({ key: `${band.key}-${place}`, band, excerpt, place })),
  );
}
