import js from "@eslint/js";
import queryPlugin from "@tanstack/eslint-plugin-query";
import importX, { createNodeResolver } from "eslint-plugin-import-x";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

const features = ["overview", "location", "battery", "alerts", "session", "remaining-life", "incidents", "alert-rules", "silences", "alarm-load"];

// Without it the alias @/ resolves to nothing, and the rules on imports check nothing.
const resolver = createNodeResolver({
  extensions: [".ts", ".tsx", ".js"],
  alias: { "@": [`${import.meta.dirname}/src`] },
});

/** The words of docs/nomenclature.md that identifiers do not use. */
const words =
  "told|tell|said|say|heard|hearing|thrice|anew|afresh|spoilt|nonsense|impostor|tether|neighbour|lesson|teach|jar|sieve|scene|utils|helpers|manager|site|place";
const capitalised = words.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
const identifiers = {
  selector: `:matches(Identifier, JSXIdentifier)[name=/^_?(${words})s?(?=[A-Z_]|$)|(${capitalised})s?(?=[A-Z_]|$)/]`,
  message: "See docs/nomenclature.md for the word to use.",
};

/** Words that users see come from src/i18n. */
const texts = [
  { selector: "JSXText[value=/[A-Za-z]{3}/]", message: "Put texts into src/i18n." },
  {
    selector: "JSXAttribute[name.name=/^(title|label|alt|placeholder|aria-label)$/] > Literal",
    message: "Put texts into src/i18n.",
  },
];

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
    settings: {
      "import-x/resolver-next": [resolver],
      "import-x/parsers": { "@typescript-eslint/parser": [".ts", ".tsx"] },
    },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "import-x/no-cycle": "error",
      "no-restricted-syntax": ["error", identifiers, ...texts],
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
            {
              target: ["./src/components", "./src/features"],
              from: "./src/realtime/connection.ts",
              message: "Read live values through realtime/hooks.",
            },
          ],
        },
      ],
    },
  },
  {
    files: ["src/**/*.test.{ts,tsx}", "src/testing/**"],
    rules: { "import-x/no-restricted-paths": "off", "no-restricted-syntax": ["error", identifiers] },
  },
  { files: ["scripts/**", "e2e/**", "*.js"], languageOptions: { globals: globals.node } },
);
