// What if: weights and quotas of a pack by sliders, who would change grade and why, the pack as a draft to keep.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { View } from "..";
import { sentence } from "../../parts/toasts";
import { ask } from "../../state/address";
import { path, useData } from "../../state/api";
import type { Catalogue, Release } from "../../state/catalogue";
import { either, t } from "../../words";
import { type Answer, Result } from "./result";
import { GroupSliders } from "./sliders";
import { changesOf, isWeighted, sum, tidy, type Values, valuesOf } from "./weights";
import "./whatif.css";

/** The release to vary: the one asked, else the newest of its year that has weights, else any that has. */
function scored(c: Catalogue): Release | undefined {
  const fits = (r: Release) => r.state !== "withdrawn" && r.metrics?.includes("score");
  const own = c.release;
  if (own?.metrics?.includes("score")) return own;
  return c.releases.find((r) => fits(r) && r.year === own?.year) ?? c.releases.find(fits);
}

export default function WhatIf(p: View) {
  const release = scored(p.catalogue);
  if (!release) return <p class="empty">{t("whatif_none")}</p>;
  return <Trial key={release.release_id} {...p} release={release} />;
}

function Trial(p: View & { release: Release }) {
  const { asked, release } = p;
  const own = useData<Answer>(path("desk/simulate", { release: release.release_id, limit: 1 }));
  const groups = own.data?.groups;
  const start = useMemo(() => (groups ? valuesOf(groups, asked.changes ?? "") : undefined), [groups, asked.changes]);
  const [now, set] = useState(start);
  useEffect(() => set(start), [start]);
  const timer = useRef(0);

  if (own.error) return <p class="empty" role="alert">{sentence(own.error)}</p>;
  if (!groups || !now) return <p class="empty" role="status">{t("loading")}</p>;

  const put = (next: { weights: Record<string, Values>; shares: Record<string, Values> }) => {
    set(next);
    clearTimeout(timer.current);
    const whole = groups.every((g) => !isWeighted(g) || tidy(sum(next.weights[g.group]!)) === 100);
    if (whole) timer.current = window.setTimeout(() => ask({ changes: changesOf(groups, next.weights, next.shares) || null }, true), 200);
  };
  const whole = groups.every((g) => !isWeighted(g) || tidy(sum(now.weights[g.group]!)) === 100);
  return (
    <div class="whatif">
      <section class="panel whatif-sliders" aria-labelledby="whatif-rule">
        <h1 id="whatif-rule">{t("view_whatif")}</h1>
        <p class="note">{either(own.data!.title.zh, own.data!.title.en)} · {release.year}</p>
        {release.release_id !== p.catalogue.release?.release_id && (
          <p class="whatif-other">{t("whatif_other", { asked: p.catalogue.release?.policy ?? "", used: release.policy })}</p>
        )}
        {groups.map((g) => (
          <GroupSliders
            key={g.group}
            group={g}
            alone={groups.length === 1}
            weights={now.weights[g.group]!}
            shares={now.shares[g.group]!}
            manual={asked.balance === "off"}
            onWeights={(v) => put({ ...now, weights: { ...now.weights, [g.group]: v } })}
            onShares={(v) => put({ ...now, shares: { ...now.shares, [g.group]: v } })}
          />
        ))}
        <div class="toolbar">
          <label class="whatif-auto">
            <input type="checkbox" checked={asked.balance !== "off"} onChange={(e) => ask({ balance: e.currentTarget.checked ? null : "off" }, true)} />
            {t("whatif_balance")}
          </label>
          <button type="button" disabled={!asked.changes && whole} onClick={() => (set(valuesOf(groups, "")), ask({ changes: null }))}>
            {t("whatif_reset")}
          </button>
        </div>
        <p class="note">{t("whatif_trial")}</p>
      </section>
      <Result asked={asked} catalogue={p.catalogue} release={release} whole={whole} changes={asked.changes ?? ""} />
    </div>
  );
}
