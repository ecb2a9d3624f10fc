import { useQuery } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";

import type { AlertRule } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { QueryFailure, Skeleton } from "@/components/ui/states";
import { alertTypeText } from "@/i18n/alert-texts";

import { settingsOf } from "./changes";
import { resolve } from "./effective";
import { ChangeSummary } from "./change-summary";
import { conditionText } from "./condition";
import { EditorFields } from "./editor-fields";
import { useEditor } from "./editor-state";
import { durationText, limitText } from "./figures";
import { rulesQueries } from "./queries";
import { chainOf, isSame, type Member, overridesFor, overridesWithin, type Scope, subjectCount } from "./scopes";

interface OverrideEditorProps {
  rule: AlertRule;
  scope: Scope;
  onClose: () => void;
}

/** Sets the values of a rule for a scope. */
export function OverrideEditor({ rule, scope, onClose }: OverrideEditorProps) {
  const fleet = useQuery(rulesQueries.fleet());
  if (fleet.data !== undefined) return <Editor rule={rule} scope={scope} fleet={fleet.data} onClose={onClose} />;
  return (
    <EditorDialog rule={rule} scope={scope} onClose={onClose}>
      <QueryFailure query={fleet} />
      {fleet.isPending && <Skeleton height={200} />}
    </EditorDialog>
  );
}

function EditorDialog({ rule, scope, onClose, children }: OverrideEditorProps & { children: React.ReactNode }) {
  const { t } = useTranslation();
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t("rules.editor", { rule: alertTypeText(rule.type), scope: scope.id })}
      className="top-2 max-h-[calc(100dvh-1rem)] w-[min(44rem,calc(100vw-1rem))] overflow-auto p-4 break-words sm:top-8"
    >
      {children}
    </Dialog>
  );
}

function Editor({ rule, scope, fleet, onClose }: OverrideEditorProps & { fleet: readonly Member[] }) {
  const { t } = useTranslation();
  const inForce = overridesFor(rule, chainOf(scope, fleet));
  const wider = inForce.filter((override) => !isSame(scope, override));
  const editor = useEditor(
    rule,
    scope,
    inForce.find((override) => isSame(scope, override)),
    onClose,
  );
  const after = resolve(rule, [settingsOf(editor.typed, scope), ...wider]);
  const before = resolve(rule, inForce).values;
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = event.currentTarget;
    editor.save();
    // What is wrong is marked by the next paint.
    requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  }
  // What was typed is given up by the button alone, not by a click beside the dialog.
  const leave = () => !editor.isDirty && !editor.isSaving && onClose();
  return (
    <EditorDialog rule={rule} scope={scope} onClose={leave}>
      <form onSubmit={submit} noValidate>
        <p className="mb-3 text-muted">{t("rules.now", { condition: conditionText(rule, before, t) })}</p>
        {rule.floor !== null && (
          <p className="mb-3 rounded-lg border border-warning-fill p-2 text-warning-text">
            {t("rules.floorHint", {
              value: limitText(rule.floor.raise_value, rule.unit, t),
              duration: durationText(rule.floor.hold_s, t),
            })}
          </p>
        )}
        <EditorFields rule={rule} editor={editor} wider={resolve(rule, wider)} />
        <ChangeSummary
          rule={rule}
          before={before}
          after={after.values}
          subjects={subjectCount(rule, scope, fleet)}
          nearer={overridesWithin(rule, scope, fleet).length}
        />
        {editor.refusal?.field === null && (
          <p role="alert" className="mt-3 font-medium text-critical-text">
            {editor.refusal.text}
            {editor.refusal.requestId !== null && (
              <span className="block text-xs font-normal text-muted">
                {t("common.request", { id: editor.refusal.requestId })}
              </span>
            )}
          </p>
        )}
        <div className="mt-3 flex justify-end gap-2">
          <Button disabled={editor.isSaving} onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button type="submit" tone="primary" disabled={editor.isSaving}>
            {t("rules.save")}
          </Button>
        </div>
      </form>
    </EditorDialog>
  );
}
