import { QueryClientProvider, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { BrowserRouter, Link, Route, Routes } from "react-router";

import { modelQuery } from "@/api/queries";
import { createQueryClient } from "@/api/query-client";
import { DefinitionHost } from "@/components/definition";
import { ComponentPage } from "@/pages/component/component-page";
import { CoderPage } from "@/pages/data/coder/coder-page";
import { DataPage } from "@/pages/data/data-page";
import { DebuggerPage } from "@/pages/debugger/debugger-page";
import { MonitorPage } from "@/pages/monitor/monitor-page";
import { SearchPage } from "@/pages/search/search-page";
import { SelfCheckPage } from "@/pages/self-check/self-check-page";
import { TopBar } from "@/shell/top-bar";

export function App() {
  const [queries] = useState(createQueryClient);
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
      <Routes>
        <Route path="/" element={<DebuggerPage />} />
        <Route path="/component/:component" element={<ComponentPage />} />
        <Route path="/monitor" element={<MonitorPage />} />
        <Route path="/data" element={<DataPage />} />
        <Route path="/data/coders/:name" element={<CoderPage />} />
        <Route path="/search" element={<SearchPage />} />
        <Route path="/self-check" element={<SelfCheckPage />} />
        <Route path="*" element={<NotFound />} />
      </Routes>
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
