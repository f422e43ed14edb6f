import { Component, type ReactNode } from "react";

import { ErrorNote } from "./error-note";

type ErrorBoundaryProps = { name: string; children: ReactNode };
type ErrorBoundaryState = { error: Error | null };

/** Keeps a fault in one panel from taking the page down. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { error: null };

  static getDerivedStateFromError(error: unknown): ErrorBoundaryState {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <section className="panel" aria-label={this.props.name}>
        <header>
          <h2>{this.props.name}</h2>
        </header>
        <div className="pad">
          <ErrorNote error={new Error(`This panel could not be drawn: ${error.message}`)}>
            <button
              type="button"
              className="btn small"
              onClick={() => {
                this.setState({ error: null });
              }}
            >
              Draw it again
            </button>
          </ErrorNote>
        </div>
      </section>
    );
  }
}
