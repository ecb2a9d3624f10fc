// An operator's way through the dashboard; prints one line a step and ends with 1 at the first that fails.
// Environment: PLATFORM_URL, ADMIN_PASSWORD, SENDER_KEY, BATTERY_ID, SCREENSHOT.
import assert from "node:assert/strict";
import { openBrowser } from "./browser.mjs";

const { PLATFORM_URL, ADMIN_PASSWORD, SENDER_KEY, BATTERY_ID, SCREENSHOT } = process.env;
const errors = [];

async function post(values) {
  const reading = { battery_id: BATTERY_ID, time: new Date().toISOString(), ...values };
  const answer = await fetch(`${PLATFORM_URL}/api/v1/telemetry`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-API-Key": SENDER_KEY },
    body: JSON.stringify({ readings: [reading] }),
  });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  assert.equal(body.accepted, 1, JSON.stringify(body));
}

async function step(name, action) {
  await action();
  console.log(`ok ${name}`);
}

const browser = await openBrowser();
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
page.on("pageerror", (error) => errors.push(String(error)));
page.setDefaultTimeout(20_000);
try {
  await post({ voltage_v: 13.41, temperature_c: 25 });
  await step("a wrong password is refused", async () => {
    await page.goto(PLATFORM_URL);
    await page.getByLabel("Username").fill("admin");
    await page.locator('input[name="password"]').fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
  });
  await step("the administrator signs in", async () => {
    await page.locator('input[name="password"]').fill(ADMIN_PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByTestId("live-badge").waitFor();
  });
  await step("a value changes live", async () => {
    await page.goto(`${PLATFORM_URL}/batteries/${BATTERY_ID}`);
    const voltage = page.getByTestId("live-voltage");
    await voltage.filter({ hasText: "13.41" }).waitFor();
    await page.getByTestId("live-badge").filter({ hasText: /live/i }).waitFor();
    await post({ voltage_v: 13.77, temperature_c: 25 });
    await voltage.filter({ hasText: "13.77" }).waitFor({ timeout: 5_000 });
  });
  let incidentId;
  await step("an incident opens and is acknowledged", async () => {
    await page.goto(`${PLATFORM_URL}/incidents`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByTestId("live-badge").filter({ hasText: /live/i }).waitFor();
    await post({ voltage_v: 13.77, temperature_c: 71 });
    const row = page.getByRole("listitem").filter({ hasText: "-001" }).filter({ hasText: /temperature/i }).first();
    await row.waitFor({ timeout: 10_000 });
    incidentId = (await row.getAttribute("data-testid")).replace("incident-", "");
    await row.getByRole("button", { name: "Acknowledge" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("on my way");
    await dialog.getByRole("button", { name: "Acknowledge", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
  });
  await step("after a reload it is still acknowledged", async () => {
    await page.goto(`${PLATFORM_URL}/incidents/${incidentId}`);
    await page.reload();
    const panel = page.getByTestId("incident-panel");
    await panel.getByText("on my way").waitFor();
    await panel.getByRole("definition").filter({ hasText: /^Acknowledged$/ }).waitFor();
    assert.equal(await panel.getByRole("button", { name: "Acknowledge" }).count(), 0);
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
