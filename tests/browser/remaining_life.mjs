// From the list of the fleet to the battery with the shortest P10 and its reasons, in both languages.
// Environment: PLATFORM_URL, ADMIN_PASSWORD, SCREENSHOT.
import assert from "node:assert/strict";
import { openBrowser } from "./browser.mjs";

const { PLATFORM_URL, ADMIN_PASSWORD, SCREENSHOT } = process.env;
const errors = [];

async function step(name, action) {
  await action();
  console.log(`ok ${name}`);
}

async function api(path, token) {
  const answer = await fetch(`${PLATFORM_URL}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200, path);
  return answer.json();
}

const signedIn = await fetch(`${PLATFORM_URL}/api/v1/auth/login`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ username: "admin", password: ADMIN_PASSWORD }),
});
const { access_token: token } = await signedIn.json();
const shortest = (await api("/predictions?sort=p10_days&limit=1", token)).items[0];

const browser = await openBrowser();
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
page.on("pageerror", (error) => errors.push(String(error)));
page.setDefaultTimeout(20_000);
try {
  await step("the administrator signs in", async () => {
    await page.goto(PLATFORM_URL);
    await page.getByLabel("Username").fill("admin");
    await page.locator('input[name="password"]').fill(ADMIN_PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByTestId("live-badge").waitFor();
  });
  await step("the shortest P10 is the first of the list", async () => {
    await page.getByRole("link", { name: "Remaining life" }).first().click();
    const first = page.getByTestId("predictions").locator("tbody tr").first();
    await first.waitFor();
    await first.getByRole("link").click();
    await page.waitForURL(`**/batteries/${shortest.battery_id}`);
  });
  const life = page.getByTestId("remaining-life");
  await step("the interval and the reasons are read", async () => {
    await life.getByText(/80 % capacity between|80 % capacity/).first().waitFor();
    await life.getByText(/P10 .* P50 .* P90/).waitFor();
    assert.ok((await page.getByTestId("rul-fan").getByRole("listitem").count()) >= 1);
    const reasons = page.getByTestId("rul-reasons").getByRole("listitem");
    assert.ok((await reasons.count()) >= 1);
    assert.match(await reasons.first().innerText(), /about .* (shorter|longer)/);
  });
  await step("they are read in Thai as well", async () => {
    await page.getByRole("button", { name: "ภาษาไทย" }).click();
    const reasons = page.getByTestId("rul-reasons").getByRole("listitem");
    await reasons.filter({ hasText: /สั้นลงราว|นานขึ้นราว/ }).first().waitFor();
    await life.getByText(/P10 .* P50 .* P90/).waitFor();
    assert.doesNotMatch(await reasons.first().innerText(), /fleet median|shorter|longer/);
  });
  assert.deepEqual(errors, []);
  console.log("ok no script error");
} catch (failure) {
  await page.screenshot({ path: SCREENSHOT });
  console.log(`failed at ${page.url()}: ${failure.message}\nscript errors: ${errors.join("; ")}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
