import { QueryClientProvider, useQuery, type QueryClient } from "@tanstack/react-query";
import { Suspense } from "react";
import { BrowserRouter, Link, Route, Routes } from "react-router";

import { modelQuery } from "@/api/queries";
import { DefinitionHost } from "@/components/definition";
import { TopBar } from "@/shell/top-bar";

import { ROUTES } from "./routes";

export function App({ queries }: { queries: QueryClient }) {
  return (
    <QueryClientProvider client={queries}>
      <BrowserRouter>
        <Pages />
      </BrowserRouter>
    </QueryClientProvider>
  );
}

function Pages() {
  const model = useQuery(modelQuery());
  return (
    <DefinitionHost glossary={model.data?.glossary ?? {}}>
      <TopBar />
      <Suspense fallback={<main id="page" />}>
        <Routes>
          {ROUTES.map(({ path, Page }) => (
            <Route key={path} path={path} element={<Page />} />
          ))}
          <Route path="*" element={<NotFound />} />
        </Routes>
      </Suspense>
    </DefinitionHost>
  );
}

function NotFound() {
  return (
    <main className="dbg" id="page">
      <p>
        There is no page here. <Link className="link" to="/">Open the Debugger</Link>
      </p>
    </main>
  );
}
