import { useQuery, useQueryClient } from "@tanstack/react-query";
import clsx from "clsx";
import {
  BatteryCharging,
  Bell,
  Hourglass,
  Keyboard,
  Languages,
  LogOut,
  Menu,
  Moon,
  Search,
  Sun,
  TriangleAlert,
} from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { NavLink, Outlet, useLocation } from "react-router-dom";
import { toast } from "sonner";

import { signOut } from "@/api/client";
import { incidentQueries } from "@/api/incident-queries";
import { fleetQueries } from "@/api/queries";
import { useSession } from "@/api/session";
import { setLanguage, useLanguage } from "@/i18n";
import { useHotkeys } from "@/lib/use-hotkeys";
import { startRealtime } from "@/realtime/connection";
import { usePreferences } from "@/stores/preferences";
import { useWaiting } from "@/stores/waiting";

import { AlertToasts } from "./alert-toasts";
import { KeyboardHelp, useKeyboardShortcuts } from "./keyboard";
import { LiveBadge, OfflineBanner } from "./live-badge";
import { SearchDialog } from "./search-dialog";

export function Layout() {
  const { t } = useTranslation();
  const cache = useQueryClient();
  const { pathname } = useLocation();
  // The page over which the menu was opened: on any other page it is closed.
  const [menuPage, setMenuPage] = useState<string | null>(null);
  const menuOpen = menuPage === pathname;
  const [searching, setSearching] = useState(false);
  const [helping, setHelping] = useState(false);
  useKeyboardShortcuts({ onSearch: () => setSearching(true), onHelp: () => setHelping(true) });
  useHotkeys(menuOpen ? { Escape: () => setMenuPage(null) } : {});

  useEffect(
    () =>
      startRealtime(cache, async () => (await cache.query(fleetQueries.locations())).items.map((l) => l.location_id)),
    [cache],
  );

  return (
    <div className="min-h-dvh md:grid md:grid-cols-[13rem_1fr]">
      <a href="#content" className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-surface focus:p-2">
        {t("app.skip")}
      </a>
      <Sidebar open={menuOpen} />
      {menuOpen && (
        <button
          type="button"
          aria-label={t("common.close")}
          className="fixed inset-0 z-20 bg-black/40 md:hidden"
          onClick={() => setMenuPage(null)}
        />
      )}
      <div className="min-w-0">
        <header className="sticky top-0 z-10 flex items-center gap-2 border-b border-border bg-surface px-3 py-2">
          <button
            type="button"
            className="grid size-9 place-items-center rounded-lg hover:bg-surface-2 md:hidden"
            aria-label={t("nav.menu")}
            aria-expanded={menuOpen}
            onClick={() => setMenuPage(pathname)}
          >
            <Menu size={18} aria-hidden />
          </button>
          <button
            type="button"
            className="flex min-h-8 min-w-0 flex-1 items-center gap-2 rounded-lg border border-border px-3 text-left text-muted hover:bg-surface-2 md:max-w-sm"
            onClick={() => setSearching(true)}
          >
            <Search size={15} aria-hidden className="shrink-0" />
            <span className="truncate max-[26rem]:sr-only">{t("nav.search")}</span>
            <kbd className="ml-auto hidden text-xs sm:inline">/</kbd>
          </button>
          <div className="ml-auto flex items-center gap-1">
            <LiveBadge />
            <HeaderActions onHelp={() => setHelping(true)} />
          </div>
        </header>
        <OfflineBanner />
        <main id="content" tabIndex={-1} className="mx-auto max-w-[1500px] p-3 outline-none md:p-5">
          <Outlet />
        </main>
      </div>
      <SearchDialog open={searching} onOpenChange={setSearching} />
      <KeyboardHelp open={helping} onOpenChange={setHelping} />
      <AlertToasts />
    </div>
  );
}

function Sidebar({ open }: { open: boolean }) {
  const { t } = useTranslation();
  const { data, isError } = useQuery(incidentQueries.counts());
  const count = data?.open_count;
  useEffect(() => useWaiting.setState({ count: count ?? null }), [count]);
  const item = ({ isActive }: { isActive: boolean }) =>
    clsx(
      "flex min-h-9 items-center gap-2 rounded-lg px-3 font-medium",
      isActive ? "bg-surface-2 text-accent" : "hover:bg-surface-2",
    );
  return (
    <nav
      aria-label={t("nav.main")}
      className={clsx(
        "z-30 flex-col gap-1 border-r border-border bg-surface p-3",
        open ? "fixed inset-y-0 left-0 flex w-56" : "hidden md:sticky md:top-0 md:flex md:h-dvh",
      )}
    >
      <div className="mb-2 flex items-center gap-2 px-3 py-2 text-base font-semibold">
        <BatteryCharging size={20} aria-hidden className="text-accent" />
        {t("app.title")}
      </div>
      <NavLink to="/" end className={item}>
        <BatteryCharging size={16} aria-hidden />
        {t("nav.fleet")}
      </NavLink>
      <NavLink to="/incidents" className={item}>
        <Bell size={16} aria-hidden />
        {t("nav.alerts")}
        <span className="ml-auto flex items-center gap-1">
          {isError && (
            <span title={t("nav.countFailed")} className="text-warning-text">
              <TriangleAlert size={16} aria-hidden />
              <span className="sr-only">{t("nav.countFailed")}</span>
            </span>
          )}
          {count !== undefined && count > 0 && (
            <span
              title={t("fleet.pending", { count })}
              className="rounded-full bg-critical-fill px-2 text-xs font-semibold text-on-critical"
            >
              {count}
            </span>
          )}
        </span>
      </NavLink>
      <NavLink to="/remaining-life" className={item}>
        <Hourglass size={16} aria-hidden />
        {t("nav.remainingLife")}
      </NavLink>
      <Identity />
    </nav>
  );
}

function Identity() {
  const { t } = useTranslation();
  const user = useSession((state) => state.user);
  return (
    <div className="mt-auto flex items-center gap-2 border-t border-border px-3 pt-3 text-muted">
      <span className="min-w-0 flex-1">
        <span className="block truncate">{user?.display_name ?? user?.username}</span>
        {user && <span className="block text-xs">{t(`role.${user.role}`)}</span>}
      </span>
      <button
        type="button"
        aria-label={t("nav.signOut")}
        title={t("nav.signOut")}
        className="grid size-8 place-items-center rounded-lg hover:bg-surface-2"
        onClick={() => void signOut().catch(() => toast.warning(t("session.signOutUnconfirmed")))}
      >
        <LogOut size={16} aria-hidden />
      </button>
    </div>
  );
}

function HeaderActions({ onHelp }: { onHelp: () => void }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { theme, toggleTheme } = usePreferences();
  const action = "grid size-9 place-items-center rounded-lg hover:bg-surface-2";
  return (
    <>
      <button
        type="button"
        className={action}
        aria-label={t("nav.language")}
        title={t("nav.language")}
        onClick={() => setLanguage(language === "en" ? "th" : "en")}
      >
        <Languages size={17} aria-hidden />
      </button>
      <button type="button" className={action} aria-label={t("nav.theme")} title={t("nav.theme")} onClick={toggleTheme}>
        {theme === "dark" ? <Sun size={17} aria-hidden /> : <Moon size={17} aria-hidden />}
      </button>
      <button
        type="button"
        className={clsx(action, "hidden sm:grid")}
        aria-label={t("nav.help")}
        title={t("nav.help")}
        onClick={onHelp}
      >
        <Keyboard size={17} aria-hidden />
      </button>
    </>
  );
}
