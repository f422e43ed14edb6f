import "./theme.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { modelQuery } from "./api/queries";
import { createQueryClient } from "./api/query-client";
import { App } from "./app";
import { whenIdle } from "./lib/when-idle";
import { firstQueries, loadAllPages, loadPage } from "./routes";

/** Milliseconds for which drawing waits: the whole page at once costs less than its frame and then the rest. */
const AT_ONCE = 60;

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
const queries = createQueryClient();
const asked = [
  loadPage(location.pathname),
  queries.prefetchQuery(modelQuery()),
  ...firstQueries(location).map((query) => queries.prefetchQuery(query)),
];
const tooLong = new Promise((done) => setTimeout(done, AT_ONCE));
await Promise.race([Promise.allSettled(asked), tooLong]);
createRoot(root).render(
  <StrictMode>
    <App queries={queries} />
  </StrictMode>,
);
whenIdle(loadAllPages);
