// Signs in, sees a company and an alarm, and sees the alarm go without a reload. Reports the steps
//   refused, signed-in, company-seen, alarm-seen, alarm-gone, signed-out, done
// so that the test that started it can make the alarm resolve after `alarm-seen`.
//
// E2E_URL, E2E_CA_FILE, E2E_USER, E2E_PASSWORD: the host. E2E_COMPANY, E2E_ALARM: texts to look for.
// Optional: E2E_CHROMIUM, E2E_TIMEOUT_SECONDS (for each wait), E2E_SCREENSHOTS (a folder).
import { inBrowser, setting } from './browser.mjs';

await inBrowser(async (page, step) => {
  const loads = [];
  page.on('load', () => loads.push(page.url()));
  await page.goto(setting('E2E_URL'));

  await signIn(page, `${setting('E2E_PASSWORD')}-wrong`);
  await page.getByRole('alert').waitFor();
  await step('refused');

  await signIn(page, setting('E2E_PASSWORD'));
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await step('signed-in');

  const companies = page.getByRole('region', { name: 'Companies' });
  await companies.getByText(setting('E2E_COMPANY'), { exact: true }).waitFor();
  await step('company-seen');

  const alarms = page.getByRole('region', { name: 'Active alarms' });
  const alarm = alarms.getByRole('row').filter({ hasText: setting('E2E_ALARM') });
  await alarm.first().waitFor();
  await step('alarm-seen');

  await alarm.first().waitFor({ state: 'detached' });
  // Gone because it resolved, not because the list could not be read.
  await alarms.getByText(/^Updated \d\d:\d\d:\d\d$/).waitFor();
  await step('alarm-gone');

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await step('signed-out');

  if (loads.length !== 1) {
    throw new Error(`the page was loaded ${loads.length} times: ${loads.join(', ')}`);
  }
});

async function signIn(page, password) {
  await page.getByLabel('User name').fill(setting('E2E_USER'));
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
