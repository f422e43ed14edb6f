/** Amounts that are not the model's numbers: bytes, seconds, dates. */
import { formatCount, NONE } from "./format";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** `812 B`, `4.2 MB`, `15 MB`: two figures, in thousands. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return NONE;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? value.toFixed(1) : String(Math.round(value));
  return `${digits} ${UNITS[unit] ?? "B"}`;
}

/** `8 s`, `4 min`, `2 h 05 min`, `3 d 4 h`; never less than a second. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return NONE;
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Units per second: whole from ten on. */
export function formatRate(rate: number): string {
  return rate >= 10 ? formatCount(rate) : rate.toFixed(1);
}

/** `1.2k`, `3.4M`: for axes, and for counts of tokens in a table. */
export function formatCompact(value: number): string {
  return COMPACT.format(value);
}

/** `26 Nov 2026, 08:14`, in the reader's own time. */
export function formatDate(date: Date): string {
  return Number.isNaN(date.getTime()) ? NONE : DATE.format(date);
}

const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const DATE = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
