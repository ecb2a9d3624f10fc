import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const gateway = process.env.GATEWAY_URL ?? "http://127.0.0.1:8000";

export default defineConfig(
  async ({ mode }): Promise<ViteUserConfig> => ({
    plugins: [react(), tailwindcss(), ...(mode === "mock" ? [(await import("./mock/plugin.ts")).mockGateway()] : [])],
    resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
    server: {
      port: 5173,
      ...(mode === "mock"
        ? {}
        : { proxy: { "/api": gateway, "/health": gateway, "/socket.io": { target: gateway, ws: true } } }),
    },
    build: { target: "es2022" },
    test: {
      environment: "jsdom",
      setupFiles: ["src/testing/setup.ts"],
      restoreMocks: true,
      // A busy machine renders a whole page in seconds.
      testTimeout: 20_000,
      exclude: ["e2e/**", "node_modules/**"],
      reporters: ["default", ["junit", { outputFile: "test-results/vitest.xml" }]],
    },
  }),
);
