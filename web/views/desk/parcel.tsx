// One parcel: its drawing among its neighbours, declared against drawn area, who uses it.
import type { Feature } from "geojson";
import { Figure } from "../../parts/number";
import { type Look, type Piece, Plan } from "../../parts/plan";
import { path } from "../../state/api";
import { either, t, tOr } from "../../words";
import { useFresh } from "./fresh";
import { Missing } from "./parts";

interface User {
  enterprise_id: string;
  name: string | null;
  kind: string;
  area_mu: number | null;
  from_on: string | null;
  to_on: string | null;
}

interface Parcel {
  year: number;
  parcel_code: string;
  declared_mu: number | null;
  drawn_mu: number | null;
  feature: Feature | null;
  neighbours: Feature[];
  users: User[];
  findings: { kind: string; note_zh: string; note_en: string; file?: string | null; sheet: string | null; row: number | null }[];
}

export function ParcelOf(p: { code: string; year?: string }) {
  const found = useFresh<Parcel>(path(`desk/disputes/land/${encodeURIComponent(p.code)}`, { year: p.year }));
  const { data } = found;
  if (!data) return <Missing {...found} />;
  return (
    <div class="desk-parcel">
      {data.feature ? <Drawn own={data.feature} near={data.neighbours} /> : <p class="empty">{t("desk_not_drawn")}</p>}
      <div>
        <p class="id">{data.parcel_code}</p>
        <dl class="desk-areas">
          <div><dt>{t("desk_declared")}</dt><dd><Figure value={data.declared_mu} unit={t("desk_mu")} /></dd></div>
          <div><dt>{t("desk_drawn")}</dt><dd><Figure value={data.drawn_mu} unit={t("desk_mu")} /></dd></div>
        </dl>
        <ul>{data.findings.map((f, n) => <li key={n}>{either(f.note_zh, f.note_en)}</li>)}</ul>
        <h4>{t("desk_users")}</h4>
        {data.users.length === 0 && <p>{t("desk_no_users")}</p>}
        <ul>
          {data.users.map((u, n) => (
            <li key={n}>
              {u.name ?? u.enterprise_id} · {tOr(`desk_use_${u.kind}`, u.kind)} · <Figure value={u.area_mu} unit={t("desk_mu")} /> <span class="note-inline">{[u.from_on, u.to_on].filter(Boolean).join(" – ")}</span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function Drawn(p: { own: Feature; near: Feature[] }) {
  const piece = (f: Feature, look: Look): Piece => ({ id: String(f.id ?? ""), geometry: f.geometry, look });
  return (
    <Plan
      pieces={[piece(p.own, "own"), ...p.near.map((f) => piece(f, "near"))]}
      label={t("desk_sketch", { code: String(p.own.id ?? "") })}
      legend={[["own", t("desk_this_parcel")], ["near", t("desk_near_parcels")]]}
    />
  );
}
