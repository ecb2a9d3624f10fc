import "@/styles.css";
import "@/i18n";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app";

// After an update the pages of the old build are gone from the server; the new build is one reload away.
window.addEventListener("vite:preloadError", (event) => {
  if (sessionStorage.getItem("reloaded") === import.meta.url) return;
  sessionStorage.setItem("reloaded", import.meta.url);
  event.preventDefault();
  location.reload();
});

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
