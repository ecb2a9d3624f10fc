import { useTranslation } from "react-i18next";

import type { AlertRule } from "@/api/types";
import { unitText } from "@/i18n";

import { valueText } from "./changes";
import { type Draft, type FieldName, isShown, spanUnits } from "./draft";
import { control, EditorField } from "./editor-field";
import type { useEditor } from "./editor-state";
import { type Effective, resolve, type ValueName } from "./effective";
import { limitText } from "./figures";
import { issueText } from "./issue-text";
import { originText } from "./origin-text";

interface EditorFieldsProps {
  rule: AlertRule;
  editor: ReturnType<typeof useEditor>;
  /** What applies where nothing is set here. */
  wider: Effective;
}

export function EditorFields({ rule, editor, wider }: EditorFieldsProps) {
  const { t } = useTranslation();
  const { draft, change } = editor;
  const shared = { rule, editor, wider };
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <p className="text-muted sm:col-span-2">{t("rules.blank")}</p>
      {isShown("raise_value", rule, draft) && (
        <>
          <BandField name="raise_value" {...shared} />
          <BandField name="clear_value" {...shared} />
        </>
      )}
      {isShown("hold_s", rule, draft) && (
        <>
          <SpanField name="hold_s" {...shared} />
          <SpanField name="clear_hold_s" {...shared} />
        </>
      )}
      <EditorField label={t("rules.value.enabled")} issue={useIssue("enabled", shared)}>
        {(attributes) => (
          <select
            {...attributes}
            value={draft.enabled}
            onChange={(event) => change({ enabled: event.target.value as Draft["enabled"] })}
            className={`${control} w-full`}
          >
            <option value="">{t("rules.inherit", { value: valueText(rule, wider.values, "enabled", t) })}</option>
            <option value="on">{t("rules.on")}</option>
            <option value="off">{t("rules.offState")}</option>
          </select>
        )}
      </EditorField>
      <EditorField label={t("rules.expires")} issue={useIssue("expires_at", shared)}>
        {(attributes) => (
          <input
            {...attributes}
            type="datetime-local"
            value={draft.expires_at}
            onChange={(event) => change({ expires_at: event.target.value })}
            className={`${control} w-full`}
          />
        )}
      </EditorField>
      <div className="sm:col-span-2">
        <EditorField label={t("rules.reason")} issue={useIssue("reason", shared)}>
          {(attributes) => (
            <textarea
              {...attributes}
              rows={2}
              maxLength={500}
              value={draft.reason}
              onChange={(event) => change({ reason: event.target.value })}
              className={`${control} w-full py-1`}
            />
          )}
        </EditorField>
      </div>
    </div>
  );
}

/** What is wrong with a field: the gateway's refusal of it, else what the browser finds. */
function useIssue(field: FieldName, { rule, editor }: EditorFieldsProps): string | null {
  const { t } = useTranslation();
  if (editor.refusal?.field === field) return editor.refusal.text;
  const issue = editor.issueOf(field);
  return issue === null ? null : issueText(issue, rule, t);
}

function useHints(name: ValueName, { rule, wider }: EditorFieldsProps, limits: string | null): string[] {
  const { t } = useTranslation();
  const standard = valueText(rule, resolve(rule, []).values, name, t);
  const origin = wider.origin[name];
  const hint =
    origin.scope === "default"
      ? t("rules.standard", { value: standard })
      : t("rules.wider", {
          value: valueText(rule, wider.values, name, t),
          origin: originText(origin, t),
          standard,
        });
  return [hint, ...(limits === null ? [] : [limits])];
}

function BandField({ name, ...shared }: EditorFieldsProps & { name: "raise_value" | "clear_value" }) {
  const { t } = useTranslation();
  const { rule, editor, wider } = shared;
  const { bounds } = rule;
  const limits =
    bounds &&
    t("rules.limits", { low: limitText(bounds.low, rule.unit, t), high: limitText(bounds.high, rule.unit, t) });
  const unit = unitText(rule.unit);
  return (
    <EditorField
      label={t(`rules.value.${name}`) + (unit === "" ? "" : ` (${unit})`)}
      hints={useHints(name, shared, limits)}
      issue={useIssue(name, shared)}
    >
      {(attributes) => (
        <input
          {...attributes}
          type="text"
          inputMode="decimal"
          autoComplete="off"
          value={editor.draft[name]}
          placeholder={String(wider.values[name])}
          onChange={(event) => editor.change({ [name]: event.target.value })}
          className={`${control} w-full`}
        />
      )}
    </EditorField>
  );
}

function SpanField({ name, ...shared }: EditorFieldsProps & { name: "hold_s" | "clear_hold_s" }) {
  const { t } = useTranslation();
  const { editor } = shared;
  const span = editor.draft[name];
  const label = t(`rules.value.${name}`);
  return (
    <EditorField label={label} hints={useHints(name, shared, t("rules.holdLimits"))} issue={useIssue(name, shared)}>
      {(attributes) => (
        <>
          <input
            {...attributes}
            type="text"
            inputMode="decimal"
            autoComplete="off"
            value={span.amount}
            onChange={(event) => editor.change({ [name]: { ...span, amount: event.target.value } })}
            className={`${control} w-full flex-1`}
          />
          <select
            aria-label={t("rules.unit", { name: label })}
            value={span.unit}
            onChange={(event) => {
              const unit = spanUnits.find((candidate) => candidate === event.target.value) ?? span.unit;
              editor.change({ [name]: { ...span, unit } });
            }}
            className={control}
          >
            {spanUnits.map((unit) => (
              <option key={unit} value={unit}>
                {t(`unit.${unit}`)}
              </option>
            ))}
          </select>
        </>
      )}
    </EditorField>
  );
}
