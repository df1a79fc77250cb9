// One line of text as it is typed, such as a topic or an expression, with its label.
export function TextField({
  label,
  hint,
  placeholder,
  value,
  onInput,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}) {
  return (
    <label class="field">
      <span class="field-label">{label}</span>
      <input
        class="input mono"
        autocomplete="off"
        spellcheck={false}
        {...(placeholder !== undefined && { placeholder })}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {hint !== undefined && <span class="field-hint">{hint}</span>}
    </label>
  );
}
