// Choices side by side; the pressed one is the state.
export function Choices(p: { label: string; value: string; choices: readonly (readonly [string, string])[]; onPick: (value: string) => void }) {
  return (
    <div class="choices" role="group" aria-label={p.label}>
      {p.choices.map(([value, label]) => (
        <button key={value} type="button" aria-pressed={value === p.value} onClick={() => p.onPick(value)}>
          {label}
        </button>
      ))}
    </div>
  );
}
