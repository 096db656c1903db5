import "./styles";
import { createTheme, MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { I18nProvider } from "./i18n/I18n";
import { newest } from "./api/queries";
import { router } from "./router";
import { beginSession, whenLeft } from "./session/current";

const client = new QueryClient({
  defaultOptions: {
    // Events keep what is shown current; a lost connection is followed by a fresh read of it.
    queries: { staleTime: 10_000, retry: 1, refetchOnWindowFocus: false, networkMode: "always" },
    mutations: { networkMode: "always" },
  },
});

whenLeft(() => {
  client.clear();
  newest.clear();
});
void beginSession();

const theme = createTheme({ cursorType: "pointer", respectReducedMotion: true });

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element #root");

createRoot(root).render(
  <StrictMode>
    {/* No style elements are made at run time, so that the page's policy can forbid them: theme.css has the values. */}
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <I18nProvider>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </I18nProvider>
    </MantineProvider>
  </StrictMode>,
);
