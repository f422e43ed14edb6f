/**
 * Measured effects of one case as they stream in. The stream runs while somebody is subscribed, so a new request
 * (whose table subscribes to another store) cancels it. A request asks for what is on screen first, then in table
 * order; sorting or scrolling to rows that would wait too long asks anew, with those at its head.
 */

import { ApiError, LOST_SERVER } from "@/api/errors";
import { streamMeasure } from "@/api/queries";
import type { MeasureRequest } from "@/api/types";

import { isOvertaken, nextBatch, type MeasurePlan } from "./measure-queue";

export type MeasureSnapshot = {
  effects: ReadonlyMap<string, number>;
  error: ApiError | null;
  isRunning: boolean;
};

/** How long a plan must stand, in milliseconds, before it ends a request: scrolling makes many. */
const SETTLE = 150;
/** How often readers hear of new values, in milliseconds. */
const FLUSH_EVERY = 80;
const NO_PLAN: MeasurePlan = { order: [], visible: [] };

export class MeasureStore {
  private snapshot: MeasureSnapshot = { effects: new Map(), error: null, isRunning: false };
  private readonly effects = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private plan = NO_PLAN;
  /** Nodes of the request that is running. */
  private asked: readonly string[] = [];
  private settleTimer: ReturnType<typeof setTimeout> | undefined;
  private stream: AbortController | null = null;
  private flushTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly request: Omit<MeasureRequest, "nodes">,
    private readonly open: typeof streamMeasure = streamMeasure,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    this.start();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.stop();
    };
  };

  readonly getSnapshot = (): MeasureSnapshot => this.snapshot;

  /** What to measure and what is on screen. */
  setPlan(plan: MeasurePlan): void {
    this.plan = plan;
    this.start();
    clearTimeout(this.settleTimer);
    this.settleTimer = setTimeout(() => this.askAnew(), SETTLE);
  }

  /** Go on after an error. */
  readonly retry = (): void => {
    this.publish({ error: null });
    this.start();
  };

  private start(): void {
    if (this.stream || this.snapshot.error || this.listeners.size === 0) return;
    if (this.batch().length === 0) return;
    const stream = new AbortController();
    this.stream = stream;
    void this.run(stream);
  }

  private stop(): void {
    this.stream?.abort();
    this.stream = null;
  }

  private askAnew(): void {
    if (!this.stream || !isOvertaken(this.plan, this.asked, this.isDone)) return;
    this.stop();
    this.start();
  }

  private readonly isDone = (node: string): boolean => this.effects.has(node);

  private batch(): string[] {
    return nextBatch(this.plan, this.isDone);
  }

  private async run(stream: AbortController): Promise<void> {
    const { signal } = stream;
    // Let the first layout report what is visible before anything is asked for.
    await new Promise((resolve) => setTimeout(resolve, 0));
    try {
      for (let nodes = this.batch(); nodes.length > 0 && !signal.aborted; nodes = this.batch()) {
        const known = this.effects.size;
        this.asked = nodes;
        for await (const effect of this.open({ ...this.request, nodes }, signal)) {
          if (signal.aborted) return;
          this.effects.set(effect.node, effect.measured_effect);
          this.flushSoon();
        }
        if (this.effects.size === known) throw LOST_SERVER;
      }
    } catch (cause) {
      if (signal.aborted) return;
      this.publish({ error: cause instanceof ApiError ? cause : LOST_SERVER });
    } finally {
      if (this.stream === stream) {
        this.stream = null;
        this.publish({});
      }
    }
  }

  private flushSoon(): void {
    this.flushTimer ??= setTimeout(() => this.publish({}), FLUSH_EVERY);
  }

  private publish(change: Partial<MeasureSnapshot>): void {
    clearTimeout(this.flushTimer);
    this.flushTimer = undefined;
    const isRunning = this.stream !== null;
    this.snapshot = { ...this.snapshot, effects: new Map(this.effects), isRunning, ...change };
    for (const listener of this.listeners) listener();
  }
}
