import { useState } from "react";

import { useMay } from "@/api/session";
import type { AlertRule, RuleOverride } from "@/api/types";

import { checkDraft, type Issues } from "./checks";
import { type Draft, draftOf, type FieldName, isShown, requestOf, typedOf } from "./draft";
import { useOverride } from "./mutations";
import { type Refusal, refusalOf } from "./refusal";
import type { Scope } from "./scopes";

/** The fields of the editor, what is wrong with them, and saving. What the gateway refuses stays as it was typed. */
export function useEditor(rule: AlertRule, scope: Scope, override: RuleOverride | undefined, onSaved: () => void) {
  const [initial] = useState(() => draftOf(rule, override));
  const [draft, setDraft] = useState(initial);
  const [attempted, setAttempted] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const isAdmin = useMay("admin");
  const saving = useOverride(rule.rule_id, onSaved);
  const typed = typedOf(draft);
  const issues: Issues = checkDraft(rule, typed, { isAdmin, now: Date.now() });
  const isTouched = (field: FieldName) => JSON.stringify(draft[field]) !== JSON.stringify(initial[field]);
  const change = (part: Partial<Draft>) => {
    setDraft({ ...draft, ...part });
    setRefusal(null);
  };
  /** A refusal of a field that is not shown stands above the buttons. */
  const shownRefusal = (error: unknown): Refusal => {
    const refused = refusalOf(error);
    return refused.field !== null && isShown(refused.field, rule, draft) ? refused : { ...refused, field: null };
  };
  return {
    draft,
    typed,
    change,
    refusal,
    isSaving: saving.isPending,
    isDirty: (Object.keys(initial) as FieldName[]).some(isTouched),
    /** Shown once its field was changed or saving was tried. */
    issueOf: (field: FieldName) => (attempted || isTouched(field) ? (issues[field] ?? null) : null),
    save: () => {
      setAttempted(true);
      if (Object.keys(issues).length > 0) return;
      saving.mutate(requestOf(typed, scope), { onError: (error) => setRefusal(shownRefusal(error)) });
    },
  };
}
