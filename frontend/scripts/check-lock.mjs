// A lock written where the registry shows no binaries for other platforms breaks `npm ci` there; this notices it.
import { readFileSync } from "node:fs";

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
const missing = [];
for (const [path, entry] of Object.entries(packages)) {
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`;
    if (!(nested in packages) && !(`node_modules/${name}` in packages)) missing.push(`${path || "root"} -> ${name}`);
  }
  if (entry.resolved?.startsWith("http")) missing.push(`${path} names a registry host`);
}
if (missing.length > 0) {
  console.error(missing.join("\n"));
  process.exit(1);
}
console.log(`${Object.keys(packages).length} packages, every optional dependency is in the lock`);
