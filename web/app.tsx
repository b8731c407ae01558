// The frame: bar, navigation, filters, the view asked, foot.
import { useEffect, useState } from "preact/hooks";
import { Filters } from "./parts/filters";
import { complain, sentence, Toasts } from "./parts/toasts";
import { type Asked, changed, followLinks, toView, useAsked, write } from "./state/address";
import { type Catalogue, may, policyOf, useCatalogue } from "./state/catalogue";
import { lang, t, tOr } from "./words";
import { type Entry, type View, VIEWS } from "./views";

export function App() {
  const asked = useAsked();
  const catalogue = useCatalogue(asked);
  const name = asked.view ?? "map";
  const entry = VIEWS[name];
  useEffect(() => {
    document.documentElement.lang = lang() === "zh" ? "zh-CN" : "en";
    document.title = [entry && t(entry.title), catalogue.release?.year, t("title")].filter(Boolean).join(" · ");
  });
  return (
    <div class={`page view-${name}`} onClick={followLinks}>
      <Bar asked={asked} name={name} catalogue={catalogue} />
      {entry && entry.filters.length > 0 && <Filters asked={asked} catalogue={catalogue} shown={entry.filters} />}
      <main id="main" tabIndex={-1}>
        {entry ? <Shown key={name} entry={entry} view={{ asked, catalogue }} /> : <Lost name={name} />}
      </main>
      <Foot catalogue={catalogue} />
      <Toasts />
    </div>
  );
}

function Bar(p: { asked: Asked; name: string; catalogue: Catalogue }) {
  const other = lang() === "zh" ? "en" : null;
  const listed = Object.entries(VIEWS).filter(([, v]) => !v.linked && (!v.needs || may(p.catalogue, v.needs)));
  return (
    <header class="bar">
      <a class="skip" href="#main">
        {t("skip")}
      </a>
      <a class="brand" href={toView({ lang: p.asked.lang ?? "" }, "map")}>
        {t("title")}
      </a>
      <nav aria-label={t("views")}>
        {listed.map(([name, view]) => (
          <a key={name} href={toView(p.asked, name)} aria-current={name === p.name ? "page" : undefined}>
            {t(view.title)}
          </a>
        ))}
      </nav>
      <State catalogue={p.catalogue} />
      <Who catalogue={p.catalogue} />
      <a class="switch" href={write(changed(p.asked, { lang: other }))} lang={other ?? "zh-CN"} hreflang={other ?? "zh-CN"}>
        {t("other_language")}
      </a>
    </header>
  );
}

/** Which state the release is in; synthetic data is labelled wherever it is shown. */
function State(p: { catalogue: Catalogue }) {
  const release = p.catalogue.release;
  if (!release) return null;
  return (
    <p class="state">
      <span class={`stamp stamp-${release.state ?? "draft"}`}>{tOr(`state_${release.state ?? "draft"}`, "")}</span>
      {release.synthetic && <strong class="synthetic">{t("synthetic")}</strong>}
    </p>
  );
}

function Who(p: { catalogue: Catalogue }) {
  const me = p.catalogue.me;
  if (!me) return null;
  const role = tOr(`role_${me.role}`, me.role);
  if (me.role === "administrator") return <span class="who">{role}</span>;
  const here = encodeURIComponent(location.pathname + location.search);
  if (me.role === "public") return <a class="who" href={`/login?next=${here}`}>{t("sign_in")}</a>;
  return (
    <form class="who" method="post" action="/logout">
      {role} {me.name} <button class="quiet">{t("sign_out")}</button>
    </form>
  );
}

/** A view, once what it draws with is there; what is wrong is said in its place. */
function Shown(p: { entry: Entry; view: View }) {
  const [found, set] = useState<{ isLoaded: boolean; error?: unknown }>({ isLoaded: !p.entry.load });
  useEffect(() => {
    p.entry.load?.().then(
      () => set({ isLoaded: true }),
      (error: unknown) => (complain(error), set({ isLoaded: false, error })),
    );
  }, [p.entry]);
  const error = p.view.catalogue.error ?? found.error;
  if (error) return <Wrong error={error} />;
  if (p.entry.needs && p.view.catalogue.me && !may(p.view.catalogue, p.entry.needs)) return <p class="empty" role="alert">{t("not_yours")}</p>;
  if (!found.isLoaded || !p.view.catalogue.release || !p.view.catalogue.me) return <Waiting view={p.view} />;
  return <p.entry.part {...p.view} />;
}

function Waiting(p: { view: View }) {
  const { releases, release, isListed } = p.view.catalogue;
  if (!isListed || release) return <p class="empty" role="status">{t("loading")}</p>;
  return <Wrong error={new Error(t(releases.length ? "no_such_release" : "no_release"))} />;
}

function Wrong(p: { error: unknown }) {
  return (
    <section class="empty" role="alert">
      <h1>{t("error")}</h1>
      <p>{sentence(p.error)}</p>
      <a href={toView({}, "map", { lang: lang() === "en" ? "en" : null })}>{t("home")}</a>
    </section>
  );
}

const Lost = (p: { name: string }) => <Wrong error={new Error(t("no_view", { name: p.name.slice(0, 40) }))} />;

function Foot(p: { catalogue: Catalogue }) {
  const release = p.catalogue.release;
  return (
    <footer class="foot">
      {release && (
        <p>
          {release.year} · {policyOf(release)} · {t("release")} <span class="id">{release.release_id}</span> ·{" "}
          {release.created_at.slice(0, 10)}
        </p>
      )}
      <p>{t("missing_note")}</p>
      <a href="/docs">{t("api")}</a>
    </footer>
  );
}
