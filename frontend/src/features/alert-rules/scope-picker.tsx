import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { fleetQueries } from "@/api/queries";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { QueryFailure, Skeleton } from "@/components/ui/states";

import { rulesQueries } from "./queries";
import { findScopes, MOST_CHOICES } from "./scope-search";
import type { Scope } from "./scopes";

interface ScopePickerProps {
  scope: Scope | null;
  onChange: (scope: Scope | null) => void;
}

/** Choose where values are looked at and set: a location, string, battery or model. */
export function ScopePicker({ scope, onChange }: ScopePickerProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <div className="mb-3 flex flex-wrap items-center gap-2 rounded-lg border border-border bg-surface px-3 py-2">
      <span className="text-muted">{t("rules.scope.label")}</span>
      <span className="min-w-0 font-medium break-words" data-testid="scope">
        {scope === null ? t("rules.scope.all") : `${t(`rules.scope.kind.${scope.kind}`)} ${scope.id}`}
      </span>
      <Button onClick={() => setOpen(true)}>{t("rules.scope.choose")}</Button>
      {scope !== null && (
        <Button tone="quiet" onClick={() => onChange(null)}>
          {t("rules.scope.reset")}
        </Button>
      )}
      {scope === null && <span className="text-muted">{t("rules.scope.hint")}</span>}
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={t("rules.scope.choose")}
        className="top-4 w-[min(32rem,calc(100vw-1rem))] p-4 sm:top-20"
      >
        <Choices
          onChoose={(chosen) => {
            setOpen(false);
            onChange(chosen);
          }}
        />
      </Dialog>
    </div>
  );
}

function Choices({ onChoose }: { onChoose: (scope: Scope) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const fleet = useQuery(rulesQueries.fleet());
  const locations = useQuery(fleetQueries.locations());
  const names = new Map((locations.data?.items ?? []).map(({ location_id: id, name }) => [id, name]));
  const found = findScopes(text, fleet.data ?? [], names);
  return (
    <>
      <input
        type="search"
        autoComplete="off"
        value={text}
        onChange={(event) => setText(event.target.value)}
        aria-label={t("rules.scope.search")}
        placeholder={t("rules.scope.search")}
        className="min-h-10 w-full rounded-lg border border-border-strong bg-bg px-3"
      />
      <QueryFailure query={fleet} />
      {fleet.isPending && <Skeleton height={160} />}
      <ul className="mt-2 max-h-[60dvh] overflow-auto" data-testid="scopes">
        {found.slice(0, MOST_CHOICES).map(({ kind, id, name }) => (
          <li key={`${kind}:${id}`}>
            <button
              type="button"
              className="flex min-h-9 w-full flex-wrap items-baseline gap-x-2 rounded-lg px-2 py-1 text-left hover:bg-surface-2"
              onClick={() => onChoose({ kind, id })}
            >
              <span className="text-muted">{t(`rules.scope.kind.${kind}`)}</span>{" "}
              <span className="min-w-0 break-all">{id}</span>
              {name !== "" && <span className="text-muted">{name}</span>}
            </button>
          </li>
        ))}
      </ul>
      {fleet.isSuccess && (
        <p role="status" className="mt-1 text-xs text-muted">
          {found.length === 0 && t("common.noResults")}
          {found.length > MOST_CHOICES && t("rules.scope.more", { count: MOST_CHOICES })}
        </p>
      )}
    </>
  );
}
