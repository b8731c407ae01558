// The bureau's desk: what waits for a person, by role. What is hidden here the API refuses as well.
import type { ComponentType } from "preact";
import type { View } from "..";
import { changed, write } from "../../state/address";
import { may } from "../../state/catalogue";
import { t, type Word } from "../../words";
import { Disputes } from "./disputes";
import { Publish } from "./publish";
import { Refused } from "./refused";
import { Review } from "./review";
import { Status } from "./status";
import "./desk.css";

interface Tab {
  title: Word;
  needs: string;
  part: ComponentType<View>;
}

const TABS: Record<string, Tab> = {
  review: { title: "desk_review", needs: "desk_review", part: Review },
  refused: { title: "desk_refused", needs: "desk_review", part: Refused },
  disputes: { title: "desk_disputes", needs: "desk_disputes", part: Disputes },
  status: { title: "desk_status", needs: "desk_status", part: Status },
  publish: { title: "desk_publish", needs: "desk_publish", part: Publish },
};

/** What stays in the address from one tab to another. */
const KEPT = ["lang", "view", "year", "source"];

export default function Desk(p: View) {
  const mine = Object.entries(TABS).filter(([, tab]) => may(p.catalogue, tab.needs));
  const name = p.asked.tab ?? mine[0]?.[0] ?? "";
  const tab = mine.find(([n]) => n === name)?.[1];
  const kept = Object.fromEntries(KEPT.filter((n) => p.asked[n]).map((n) => [n, p.asked[n]!]));
  return (
    <div class="desk">
      <h1 class="hidden">{t("view_desk")}</h1>
      <nav class="desk-tabs" aria-label={t("view_desk")}>
        {mine.map(([n, one]) => (
          <a key={n} href={write(changed(kept, { tab: n }))} aria-current={n === name ? "page" : undefined}>
            {t(one.title)}
          </a>
        ))}
      </nav>
      {tab ? <tab.part {...p} /> : <p class="empty" role="alert">{t("not_yours")}</p>}
    </div>
  );
}
