interface ChoiceProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Value and name of each option. */
  options: readonly (readonly [string, string])[];
}

/** A labelled list to choose a filter from. */
export function Choice({ label, value, onChange, options }: ChoiceProps) {
  return (
    <label className="flex items-center gap-1.5 text-muted">
      {label}
      <select
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="min-h-8 max-w-48 rounded-lg border border-border-strong bg-surface px-2 text-text"
      >
        {options.map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
