import js from "@eslint/js";
import queryPlugin from "@tanstack/eslint-plugin-query";
import importX from "eslint-plugin-import-x";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

const features = ["overview", "location", "battery", "alerts", "session"];

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/api/schema.gen.ts", "public", "test-results"] },
  js.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}"],
    extends: [
      ...tseslint.configs.strictTypeChecked,
      jsxA11y.flatConfigs.strict,
      ...queryPlugin.configs["flat/recommended"],
    ],
    plugins: { "react-hooks": reactHooks, "import-x": importX },
    languageOptions: { globals: globals.browser, parserOptions: { projectService: true } },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "import-x/no-cycle": "off",
      "import-x/no-restricted-paths": [
        "error",
        {
          basePath: import.meta.dirname,
          zones: [
            // A feature knows the shared parts, never another feature.
            ...features.map((feature) => ({
              target: `./src/features/${feature}`,
              from: "./src/features",
              except: [`./${feature}`],
              message: "Features do not import each other; move what they share to components, api or lib.",
            })),
            { target: ["./src/components", "./src/lib", "./src/api", "./src/realtime", "./src/stores"], from: "./src/features" },
            { target: ["./src/components", "./src/lib", "./src/api", "./src/realtime", "./src/features"], from: "./src/app" },
          ],
        },
      ],
    },
  },
  { files: ["scripts/**", "e2e/**", "*.js"], languageOptions: { globals: globals.node } },
);
