import "@/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { createQueryClient } from "@/api/query-client";
import { showStoredLanguage } from "@/i18n";

import { App } from "./app";
import { startSession } from "./start-session";

// After an update the server no longer has the old build's pages; a reload loads the new build.
window.addEventListener("vite:preloadError", (event) => {
  if (sessionStorage.getItem("reloaded") === import.meta.url) return;
  sessionStorage.setItem("reloaded", import.meta.url);
  event.preventDefault();
  location.reload();
});

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
const cache = createQueryClient();
startSession(cache);
await showStoredLanguage();
createRoot(root).render(
  <StrictMode>
    <App cache={cache} />
  </StrictMode>,
);
