// Compressed size of what a browser loads: the entry at most 180 kB, any other chunk at most 130 kB.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const html = readFileSync("dist/index.html", "utf8");
let failed = false;
for (const name of readdirSync("dist/assets").filter((file) => file.endsWith(".js"))) {
  const kB = gzipSync(readFileSync(`dist/assets/${name}`)).length / 1000;
  const limit = html.includes(`src="/assets/${name}`) ? 180 : 130;
  const over = kB > limit;
  failed ||= over;
  if (kB > 10 || over) console.log(`${over ? "TOO LARGE" : "ok"} ${name} ${kB.toFixed(1)} kB of ${limit}`);
}
process.exit(failed ? 1 : 0);
