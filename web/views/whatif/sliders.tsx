// The sliders of one group of a pack: weights that sum to 100, and the cumulative share up to which each grade reaches.
import { useId, useState } from "preact/hooks";
import { figure } from "../../parts/number";
import { Grade } from "../../parts/grade";
import { either, t, tOr } from "../../words";
import { balanced, type Group, isWeighted, raised, sum, tidy, type Values } from "./weights";

interface Shown {
  group: Group;
  alone: boolean;
  weights: Values;
  shares: Values;
  manual: boolean;
  onWeights: (values: Values) => void;
  onShares: (values: Values) => void;
}

export function GroupSliders(p: Shown) {
  const [locked, lock] = useState<ReadonlySet<string>>(new Set());
  const total = tidy(sum(p.weights));
  const name = p.group.title ? either(p.group.title.zh, p.group.title.en) : tOr(`group_${p.group.group}`, p.group.group);
  const move = (item: string, value: number) =>
    p.onWeights(p.manual ? { ...p.weights, [item]: value } : balanced(p.weights, item, value, locked));
  const toggle = (item: string) => {
    const next = new Set(locked);
    if (!next.delete(item)) next.add(item);
    lock(next);
  };
  return (
    <fieldset class="whatif-group">
      <legend>{p.alone ? t("whatif_weights") : `${name} · ${t("whatif_weights")}`}</legend>
      {isWeighted(p.group) && p.group.items.map((i) => (
        <Slider
          key={i.name}
          label={either(i.title, i.title_en)}
          unit={t("whatif_points")}
          value={p.weights[i.name]!}
          before={i.before ?? 0}
          most={p.group.items.length === 1 ? 100 : 99}
          onChange={(v) => move(i.name, v)}
          disabled={p.group.items.length === 1 || (!p.manual && locked.has(i.name))}
        >
          {!p.manual && p.group.items.length > 1 && (
            <button
              type="button"
              class="quiet whatif-lock"
              aria-pressed={locked.has(i.name)}
              aria-label={t("whatif_lock", { name: either(i.title, i.title_en) })}
              onClick={() => toggle(i.name)}
            >
              {t(locked.has(i.name) ? "whatif_locked" : "whatif_unlocked")}
            </button>
          )}
        </Slider>
      ))}
      {isWeighted(p.group) && <p class={total === 100 ? "whatif-sum" : "whatif-sum whatif-wrong"} role="status">
        {t(total === 100 ? "whatif_sum" : "whatif_sum_wrong", { sum: figure(total, total % 1 ? 2 : 0) })}
      </p>}
      <h2>{t("whatif_shares")}</h2>
      {p.group.shares.slice(0, -1).map((s) => (
        <Slider
          key={s.grade}
          label={t("whatif_up_to", { grade: s.grade })}
          badge={s.grade}
          unit="%"
          value={p.shares[s.grade]!}
          before={s.before}
          most={99}
          onChange={(v) => p.onShares(raised(p.group.shares, p.shares, s.grade, v))}
        />
      ))}
    </fieldset>
  );
}

interface One {
  label: string;
  unit: string;
  badge?: string;
  value: number;
  before: number;
  most: number;
  disabled?: boolean;
  onChange: (value: number) => void;
  children?: preact.ComponentChildren;
}

function Slider(p: One) {
  const ident = useId();
  const moved = p.value !== p.before;
  return (
    <div class={moved ? "whatif-slider whatif-moved" : "whatif-slider"}>
      <label for={ident}>
        {p.badge && <Grade grade={p.badge} />} {p.label}
      </label>
      <span class="whatif-value">
        <input
          type="number"
          aria-label={`${p.label} ${p.unit}`}
          min={1}
          max={p.most}
          step="any"
          value={p.value}
          disabled={p.disabled}
          onChange={(e) => Number.isFinite(e.currentTarget.valueAsNumber) && p.onChange(e.currentTarget.valueAsNumber)}
        />
        <span class="unit">{p.unit}</span>
      </span>
      <input
        id={ident}
        type="range"
        min={1}
        max={p.most}
        step={1}
        value={p.value}
        disabled={p.disabled}
        aria-valuetext={`${p.value} ${p.unit}`}
        onInput={(e) => p.onChange(e.currentTarget.valueAsNumber)}
      />
      <span class="note">{moved ? t("whatif_was", { value: p.before }) : "\u00a0"}</span>
      {p.children}
    </div>
  );
}
