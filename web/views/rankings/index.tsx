// The ranking as a table: best or worst first, columns as chosen, files of the same question.
import { useEffect, useRef, useState } from "preact/hooks";
import type { View } from "..";
import { Dialog } from "../../parts/dialog";
import { figure } from "../../parts/number";
import { complain } from "../../parts/toasts";
import { ask, type Asked } from "../../state/address";
import { path } from "../../state/api";
import { type Catalogue, may, titleOf, unitOf } from "../../state/catalogue";
import { t } from "../../words";
import { Choices } from "../../parts/choices";
import { columnsFor, offered, type Places, shownColumns } from "./columns";
import "./rankings.css";
import { saveFeatures } from "./geojson";
import { makeTable, type Question } from "./table";

/** The question of the address, as the API takes it. */
function questionOf(asked: Asked, c: Catalogue): Question {
  const { industry, region, size, group, grade, q } = asked;
  return { release: c.release?.release_id, industry, region, size, group, grade, q, by: asked.by, order: asked.order === "worst" ? "worst" : undefined };
}

/** Whether the year before was ranked under the same policy. */
const yearBefore = (c: Catalogue): boolean =>
  c.releases.some((r) => r.year === (c.release?.year ?? 0) - 1 && r.policy === c.release?.policy && r.state !== "withdrawn");

interface Standing {
  of: number | null;
  total: number;
}

/** The table of what is asked, made anew when the question changes, its columns when they do. */
function useTable(p: View) {
  const box = useRef<HTMLDivElement>(null);
  const places = useRef<Places | null>(null);
  const [standing, setStanding] = useState<Standing | null>(null);
  const [against, setAgainst] = useState<number | null>(null);
  const question = questionOf(p.asked, p.catalogue);
  const names = shownColumns(p.asked, p.catalogue);
  const isKnown = p.catalogue.columns.length > 0 && !p.catalogue.loading;
  useEffect(() => {
    if (!isKnown || !box.current) return;
    let gone = false;
    places.current = null;
    setStanding(null);
    const made = makeTable(box.current, question, columnsFor(names, p.asked, p.catalogue, () => places.current), yearBefore(p.catalogue), {
      onPage: setStanding,
      onPlaces: (found, year) => {
        if (gone) return;
        places.current = { ...places.current, ...found };
        setAgainst(year);
        made.getRows("active").forEach((row) => row.getElement().isConnected && row.reformat());
      },
      onError: (error) => gone || complain(error),
    });
    return () => {
      gone = true;
      made.destroy();
    };
  }, [JSON.stringify(question), names.join(), isKnown, p.asked.lang]);
  return { box, standing, against };
}

function Columns(p: View & { open: boolean; onClose: () => void }) {
  const names = offered(p.catalogue).filter((n) => !["rank", "moved", "name"].includes(n));
  const shown = shownColumns(p.asked, p.catalogue).filter((n) => names.includes(n));
  const change = (name: string, on: boolean) => ask({ cols: names.filter((n) => (n === name ? on : shown.includes(n))).join() });
  return (
    <Dialog title={t("rank_columns")} open={p.open} onClose={p.onClose}>
      <div class="column-list">
        {names.map((name) => (
          <label key={name} class="check">
            <input type="checkbox" checked={shown.includes(name)} onChange={(e) => change(name, e.currentTarget.checked)} />
            {titleOf(p.catalogue, name)} <span class="unit">{unitOf(p.catalogue, name)}</span>
          </label>
        ))}
      </div>
      <button type="button" onClick={() => ask({ cols: null })}>{t("rank_usual_columns")}</button>
    </Dialog>
  );
}

/** Files of the same question; the bottom list where the role may. */
function Exports(p: View) {
  const [isSaving, setSaving] = useState(false);
  const saveGeo = () => {
    setSaving(true);
    saveFeatures(questionOf(p.asked, p.catalogue)).catch(complain).finally(() => setSaving(false));
  };
  const question: Question = { ...questionOf(p.asked, p.catalogue), lang: p.asked.lang };
  const { industry, region, size, group } = question;
  const bottom = { release: question.release, industry, region, size, group, by: question.by, lang: question.lang };
  return (
    <>
      {may(p.catalogue, "export") && (
        <span class="toolbar">
          {t("rank_export")}
          <a class="button" download="" href={path("rankings", { ...question, format: "xlsx" })}>XLSX</a>
          <a class="button" download="" href={path("rankings", { ...question, format: "csv" })}>CSV</a>
          <button type="button" disabled={isSaving} onClick={saveGeo}>GeoJSON</button>
        </span>
      )}
      {may(p.catalogue, "export_bottom") && (
        <span class="toolbar">
          {t("rank_export_bottom")}
          <a class="button" download="" href={path("rankings/bottom", { ...bottom, percent: 5, format: "xlsx" })}>XLSX</a>
          <a class="button" download="" href={path("rankings/bottom", { ...bottom, percent: 5, format: "csv" })}>CSV</a>
        </span>
      )}
    </>
  );
}

function Told(p: View & { standing: Standing | null; against: number | null }) {
  const { standing, against } = p;
  if (!standing) return <p class="note" role="status">{t("loading")}</p>;
  const shown = standing.total === standing.of ? "" : ` · ${t("rank_rows", { n: figure(standing.total, 0) })}`;
  return (
    <p class="note" role="status">
      {standing.of !== null && t("rank_ranked", { n: figure(standing.of, 0) })}
      {shown}
      {against !== null && ` · ${t("rank_against", { year: against })}`}
    </p>
  );
}

export default function Rankings(p: View) {
  const { box, standing, against } = useTable(p);
  const [choosing, setChoosing] = useState(false);
  const metric = `${titleOf(p.catalogue, p.catalogue.by)} ${unitOf(p.catalogue, p.catalogue.by)}`;
  return (
    <div class="rankings-view" data-ready={standing !== null}>
      <div class="toolbar">
        <h1>{t("rank_title", { metric })}</h1>
        <Choices
          label={t("map_order")}
          value={p.asked.order === "worst" ? "worst" : "best"}
          choices={[["best", t("rank_best")], ["worst", t("rank_worst")]]}
          onPick={(v) => ask({ order: v === "worst" ? v : null })}
        />
        <span class="push toolbar noprint">
          <button type="button" onClick={() => setChoosing(true)}>{t("rank_columns")}</button>
          <Exports {...p} />
        </span>
      </div>
      <Told {...p} standing={standing} against={against} />
      <div class="ranking-box"><div ref={box} /></div>
      <Columns {...p} open={choosing} onClose={() => setChoosing(false)} />
    </div>
  );
}
