// The review queue: one item at a time, the record beside its candidates, decided by keyboard or by button.
import { useEffect, useRef, useState } from "preact/hooks";
import type { View } from "..";
import { figure } from "../../parts/number";
import { complain, toast } from "../../parts/toasts";
import { ask, type Asked, changed, write } from "../../state/address";
import { path, send } from "../../state/api";
import { t, tOr } from "../../words";
import { useFresh, usePages } from "./fresh";
import { useKeys } from "./keys";
import { Choose, counted, type Counts, Find, Missing, placed, years } from "./parts";
import { type Detail, type Item, Sides } from "./sides";

interface Queue {
  total: number;
  counts: Counts;
  items: Item[];
  next: string | null;
}

type Verdict = "accept" | "reject" | "reopen";
/** What the candidates' certainty may be asked to be: from, to in per cent. */
const SURE: Record<string, [string | undefined, string | undefined]> = { high: ["95", undefined], middle: ["50", "95"], low: [undefined, "50"] };

const questionOf = (asked: Asked) => {
  const [sure_from, sure_to] = SURE[asked.sure ?? ""] ?? [];
  return { year: asked.year, source: asked.source, kind: asked.kind, state: asked.state, reason: asked.reason, sure_from, sure_to, q: asked.find };
};

export function Review(p: View) {
  const { asked } = p;
  const [version, again] = useState(0);
  const question = questionOf(asked);
  const queue = usePages<Queue, Item>((cursor) => path("desk/review", { ...question, cursor }), (page) => page.items, version);
  const shown = asked.item ?? queue.rows[0]?.id;
  const detail = useFresh<Detail>(shown ? path(`desk/review/${encodeURIComponent(shown)}`, question) : null, version);
  const counts = queue.data?.counts ?? {};
  const open = (id: string) => write(changed(asked, { item: id }));
  return (
    <section class="desk-review" data-ready={!queue.loading && !detail.loading} aria-labelledby="desk-title">
      <form class="fields desk-fields" onSubmit={(e) => e.preventDefault()}>
        <Choose name="year" label={t("year")} value={asked.year} choices={years(p.catalogue.releases)} all={t("desk_all_years")} />
        <Choose name="source" label={t("desk_source")} value={asked.source} choices={counted(counts.source, "source")} all={t("desk_all_sources")} />
        <Choose name="kind" label={t("desk_kind")} value={asked.kind} choices={counted(counts.kind, "desk_kind")} all={t("desk_all_kinds")} />
        <Choose name="sure" label={t("desk_sure")} value={asked.sure} choices={Object.keys(SURE).map((s) => [s, tOr(`desk_sure_${s}`, s)])} all={t("desk_any_sure")} />
        <Choose name="state" label={t("desk_state")} value={asked.state ?? "open"} choices={["open", "accepted", "all"].map((s) => [s, tOr(`desk_state_${s}`, s)])} />
        <Find value={asked.find} label={t("desk_find")} />
      </form>
      <div class="desk-two">
        <div class="desk-queue">
          <h2 id="desk-title">{t("desk_items", { n: figure(queue.data?.total ?? 0, 0) })}</h2>
          {queue.rows.length === 0 && <Missing {...queue} empty={t("desk_no_items")} />}
          <ol>
            {queue.rows.map((i) => (
              <li key={i.id}>
                <a href={open(i.id)} aria-current={i.id === shown ? "true" : undefined}>
                  <b>{i.name ?? i.value ?? i.record_key}</b>
                  <span>
                    {tOr(`source_${i.source}`, i.source)} {i.year} · {tOr(`review_${i.reason}`, i.reason)} · {t("desk_n_rows", { n: i.rows })}
                    {i.sure_percent != null && ` · ${figure(i.sure_percent, 1)} %`}
                    {i.state === "accepted" && ` · ${t("desk_state_accepted")}`}
                  </span>
                </a>
              </li>
            ))}
          </ol>
          {queue.next && <button type="button" onClick={() => void queue.more()}>{t("desk_more")}</button>}
        </div>
        {detail.data && shown ? (
          <Decide key={detail.data.item.id} asked={asked} detail={detail.data} onDecided={() => again((n) => n + 1)} />
        ) : (
          queue.rows.length > 0 && <Missing {...detail} />
        )}
      </div>
    </section>
  );
}

/** The items decided last, so that `u` undoes them one by one, also after the next item is shown. */
const decided: string[] = [];
/** Whether an item was shown before: the first one takes no focus. */
let arrived = false;

function Decide(p: { asked: Asked; detail: Detail; onDecided: () => void }) {
  const { item, candidates, previous, next } = p.detail;
  const [chosen, choose] = useState(candidates?.length === 1 ? candidates[0]!.enterprise_id : "");
  const [why, say] = useState("");
  const [busy, work] = useState(false);
  const head = useRef<HTMLHeadingElement>(null);
  const keys = p.asked.keys !== "off";
  const show = (id: string | null) => id && ask({ item: id });
  useEffect(() => {
    if (arrived) head.current?.focus({ preventScroll: true }); // a reader of the screen hears the next item
    arrived = true;
  }, [item.id]);

  const decide = async (verdict: Verdict, id = item.id, after: string | null = next) => {
    if (busy) return;
    if (verdict === "accept" && !chosen) return toast(t("desk_choose_first"), "error");
    work(true);
    try {
      const enterprise = verdict === "accept" ? chosen : undefined;
      await send("POST", path(`desk/review/${encodeURIComponent(id)}`), { verdict, enterprise, reason: why || undefined });
      if (verdict === "reopen") decided.splice(decided.indexOf(id), 1);
      else decided.push(id);
      toast(t(`desk_done_${verdict}`));
      if (after !== item.id) ask({ item: after });
      p.onDecided();
    } catch (error) {
      complain(error);
    } finally {
      work(false);
    }
  };
  const undo = () => {
    const last = decided.at(-1);
    if (last) void decide("reopen", last, last);
    else toast(t("desk_nothing_to_undo"));
  };
  const pick = (n: number) => candidates?.[n - 1] && choose(candidates[n - 1]!.enterprise_id);
  useKeys(keys, {
    j: () => show(next),
    k: () => show(previous),
    a: () => void decide("accept"),
    r: () => void decide("reject"),
    u: undo,
    ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [String(n), () => pick(n)])),
  });
  const land = item.kind === "land";
  return (
    <article class="panel desk-detail" aria-labelledby="desk-item">
      <h3 id="desk-item" ref={head} tabIndex={-1}>{item.name ?? item.value ?? item.record_key}</h3>
      <p class="note">
        {p.detail.position && `${p.detail.position}/${p.detail.total} · `}{tOr(`source_${item.source}`, item.source)} {item.year} · {tOr(`review_${item.reason}`, item.reason)} · {placed(item)}
        {item.state === "accepted" && <strong> · {t("desk_waits_merge")}</strong>}
      </p>
      <div class="toolbar desk-acts">
        {!land && <button type="button" class="primary" disabled={busy} onClick={() => void decide("accept")} aria-keyshortcuts="a">{t("desk_accept")}</button>}
        <button type="button" disabled={busy} onClick={() => void decide("reject")} aria-keyshortcuts="r">{t(land ? "desk_settle" : "desk_reject")}</button>
        <button type="button" disabled={busy} onClick={undo} aria-keyshortcuts="u">{t("desk_undo")}</button>
        <span class="push toolbar">
          <button type="button" disabled={!previous} onClick={() => show(previous)} aria-keyshortcuts="k">{t("desk_previous")}</button>
          <button type="button" disabled={!next} onClick={() => show(next)} aria-keyshortcuts="j">{t("desk_next")}</button>
        </span>
      </div>
      <Sides detail={p.detail} chosen={chosen} onChoose={choose} />
      <label class="desk-why">
        {t("desk_why")} <input type="text" maxLength={500} value={why} onInput={(e) => say(e.currentTarget.value)} />
      </label>
      <p class="desk-keys">
        <label>
          <input type="checkbox" checked={keys} onChange={(e) => ask({ keys: e.currentTarget.checked ? null : "off" }, true)} /> {t("desk_keys")}
        </label>{" "}
        <span>{t("desk_keys_help")}</span>
      </p>
      <History detail={p.detail} />
    </article>
  );
}

function History(p: { detail: Detail }) {
  if (p.detail.decisions.length === 0) return null;
  return (
    <details>
      <summary>{t("desk_decisions", { n: p.detail.decisions.length })}</summary>
      <ul>
        {p.detail.decisions.map((d) => (
          <li key={d.at}>
            {d.at.slice(0, 16).replace("T", " ")} · {d.who} · {tOr(`desk_verdict_${d.verdict}`, d.verdict)} {d.enterprise_id} {d.reason}
          </li>
        ))}
      </ul>
    </details>
  );
}
