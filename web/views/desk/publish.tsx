// States of releases: what publishing or withdrawing one would change is said before anybody confirms it.
import { useState } from "preact/hooks";
import type { View } from "..";
import { Dialog } from "../../parts/dialog";
import { figure } from "../../parts/number";
import { complain } from "../../parts/toasts";
import { path, send } from "../../state/api";
import type { Release } from "../../state/catalogue";
import { t, tOr } from "../../words";
import { useFresh } from "./fresh";
import { Missing } from "./parts";

const NEXT: Record<string, string[]> = { draft: ["public", "final", "withdrawn"], public: ["final", "withdrawn"], final: ["withdrawn"] };

interface Firm {
  enterprise_id: string;
  name: string | null;
  before: string;
  after: string;
}

interface Difference {
  enterprises: number;
  entered: number;
  left: number;
  moved: number | null;
  worst: string;
  into_worst_count: number;
  out_of_worst_count: number;
  into_worst: Firm[];
  out_of_worst: Firm[];
}

interface Side {
  before: string | null;
  after: string | null;
  difference: Difference | null;
}

interface Preview {
  release_id: string;
  state: string;
  year: number;
  policy: string;
  enterprises: number;
  grades: Record<string, number>;
  public: Side;
  bureau: Side;
  outside: number;
  events: { at: string; who: string; state: string; reason: string }[];
}

interface Asking {
  release: string;
  target: string;
}

export function Publish(p: View) {
  const [asking, set] = useState<Asking | null>(null);
  const [version, again] = useState(0);
  const listed = useFresh<{ releases: Release[] }>(path("releases"), version);
  const rows = listed.data?.releases ?? p.catalogue.releases;
  return (
    <section data-ready={!!listed.data} aria-labelledby="desk-title">
      <h2 id="desk-title">{t("desk_releases")}</h2>
      <p class="note">{t("desk_publish_how")}</p>
      <div class="panel scroll" tabIndex={0} role="region" aria-label={t("desk_releases")}>
        <table class="plain desk-releases">
          <thead>
            <tr>
              <th scope="col">{t("year")}</th>
              <th scope="col">{t("policy")}</th>
              <th scope="col">{t("desk_release")}</th>
              <th scope="col" class="number">{t("desk_enterprises")}</th>
              <th scope="col">{t("desk_state")}</th>
              <th scope="col">{t("desk_change_to")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((r) => (
              <tr key={r.release_id}>
                <td>{r.year}</td>
                <td>{r.policy}</td>
                <th scope="row" class="id">{r.release_id}</th>
                <td class="number">{figure(r.rows, 0)}</td>
                <td><span class={`stamp stamp-${r.state}`}>{tOr(`state_${r.state}`, "")}</span></td>
                <td>
                  <div class="toolbar">{(NEXT[r.state ?? ""] ?? []).map((state) => (
                    <button key={state} type="button" aria-label={`${tOr(`desk_to_${state}`, state)} ${r.release_id}`} onClick={() => set({ release: r.release_id, target: state })}>
                      {tOr(`desk_to_${state}`, state)}
                    </button>
                  ))}</div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Dialog open={asking !== null} title={asking ? tOr(`desk_to_${asking.target}`, asking.target) : ""} onClose={() => set(null)}>
        {asking && <Confirm {...asking} onDone={() => (set(null), again((n) => n + 1))} />}
      </Dialog>
    </section>
  );
}

/** Where the change was confirmed the page is loaded anew: every view counts the new state. */
function Confirm(p: Asking & { onDone: () => void }) {
  const found = useFresh<Preview>(path(`desk/publish/${encodeURIComponent(p.release)}`, { target: p.target }));
  const [reason, say] = useState("");
  const [busy, work] = useState(false);
  const { data } = found;
  if (!data) return <Missing {...found} />;
  const confirm = async (event: Event) => {
    event.preventDefault();
    work(true);
    try {
      await send("POST", path(`desk/publish/${encodeURIComponent(p.release)}`), { state: p.target, reason, expected: data.state });
      p.onDone();
      location.reload();
    } catch (error) {
      complain(error);
      work(false);
    }
  };
  return (
    <form class="desk-confirm" onSubmit={(e) => void confirm(e)}>
      <p>
        <b class="id">{data.release_id}</b>: {tOr(`state_${data.state}`, data.state)} → <b>{tOr(`state_${p.target}`, p.target)}</b>
        <span class="note">{t("desk_holds", { n: figure(data.enterprises, 0), grades: Object.entries(data.grades).map(([g, n]) => `${g} ${figure(n, 0)}`).join(t("desk_comma")) })}</span>
      </p>
      <Effect title={t("desk_for_public")} side={data.public} year={data.year} policy={data.policy} />
      <Effect title={t("desk_for_bureau")} side={data.bureau} year={data.year} policy={data.policy} />
      {data.outside > 0 && <p class="desk-warn">{t("desk_outside", { n: figure(data.outside, 0) })}</p>}
      <label>
        {t("desk_publish_why")} <textarea required maxLength={1000} rows={2} value={reason} onInput={(e) => say(e.currentTarget.value)} />
      </label>
      <div class="toolbar">
        <button type="submit" class="primary" disabled={busy || !reason.trim() || data.outside > 0}>{t("desk_confirm", { what: tOr(`desk_to_${p.target}`, p.target) })}</button>
      </div>
      <details>
        <summary>{t("desk_past", { n: data.events.length })}</summary>
        <ul>{data.events.map((e) => <li key={e.at}>{e.at.slice(0, 16).replace("T", " ")} · {e.who} · {tOr(`state_${e.state}`, e.state)} · {e.reason}</li>)}</ul>
      </details>
    </form>
  );
}

/** Which release answers for the year and policy before and after, and what that changes for enterprises. */
function Effect(p: { title: string; side: Side; year: number; policy: string }) {
  const { before, after, difference: d } = p.side;
  const of = { year: p.year, policy: p.policy };
  const said =
    before === after
      ? t("desk_same_default", { ...of, release: after ?? t("desk_no_release") })
      : t("desk_new_default", { ...of, before: before ?? t("desk_no_release"), after: after ?? t("desk_no_release") });
  return (
    <section>
      <h3>{p.title}</h3>
      <p>{said}</p>
      {d && (
        <>
          <ul>
            {d.moved !== null && <li>{t("desk_moved", { n: figure(d.moved, 0) })}</li>}
            <li>{t(d.worst === "bottom" ? "desk_into_bottom" : "desk_into_d", { n: figure(d.into_worst_count, 0) })}</li>
            <li>{t(d.worst === "bottom" ? "desk_out_of_bottom" : "desk_out_of_d", { n: figure(d.out_of_worst_count, 0) })}</li>
            {d.entered + d.left > 0 && <li>{t("desk_entered_left", { entered: figure(d.entered, 0), left: figure(d.left, 0) })}</li>}
          </ul>
          <Firms title={t("desk_who_in")} firms={d.into_worst} />
          <Firms title={t("desk_who_out")} firms={d.out_of_worst} />
        </>
      )}
    </section>
  );
}

function Firms(p: { title: string; firms: Firm[] }) {
  if (p.firms.length === 0) return null;
  return (
    <details>
      <summary>{p.title}</summary>
      <ul class="desk-firms">{p.firms.map((f) => <li key={f.enterprise_id}>{f.name ?? f.enterprise_id} ({f.before} → {f.after})</li>)}</ul>
    </details>
  );
}
