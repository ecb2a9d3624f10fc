import { BatteryCharging } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { signIn } from "@/api/client";
import { problemOf } from "@/api/errors";
import { useTitle } from "@/components/breadcrumb";
import { Button } from "@/components/ui/button";
import { problemText, setLanguage, useLanguage } from "@/i18n";

export function LoginPage() {
  const { t } = useTranslation();
  const language = useLanguage();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useTitle(t("session.title"));

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await signIn(username, password);
    } catch (failure) {
      const problem = problemOf(failure);
      if (problem.status === 429) setError(t("session.wait", { count: problem.retryAfterS ?? 60 }));
      else if (problem.status === 401) setError(t("session.wrong"));
      else setError(problem.status !== null && problem.status >= 500 ? t("session.unreachable") : problemText(problem));
      setBusy(false);
    }
  }

  const field = "mt-1 min-h-10 w-full rounded-lg border border-border-strong bg-bg px-3";
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <form
        onSubmit={(event) => void submit(event)}
        className="w-full max-w-sm rounded-lg border border-border bg-surface p-6"
      >
        <div className="mb-5 flex items-center gap-2">
          <BatteryCharging size={24} aria-hidden className="text-accent" />
          <h1>{t("app.title")}</h1>
          <Button tone="quiet" className="ml-auto" onClick={() => setLanguage(language === "en" ? "th" : "en")}>
            {t("nav.language")}
          </Button>
        </div>
        <label className="mb-3 block font-medium">
          {t("session.username")}
          <input
            className={field}
            name="username"
            autoComplete="username"
            required
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
        </label>
        <label className="mb-4 block font-medium">
          {t("session.password")}
          <input
            className={field}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        {error !== null && (
          <p role="alert" className="mb-3 text-critical-text">
            {error}
          </p>
        )}
        <Button type="submit" tone="primary" className="min-h-10 w-full" disabled={busy}>
          {t("session.submit")}
        </Button>
        <p className="mt-4 text-xs text-muted">{t("session.firstRun")}</p>
      </form>
    </main>
  );
}
