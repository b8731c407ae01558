// The form answers in place: the address holds the state, so a link or a reload shows the same view.
// Without this script the form's button does the same by loading the page.

const status = () => document.getElementById("status");

function address(form) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (value.trim() !== "") asked.set(name, value.trim());
  }
  const query = asked.toString();
  return query ? `/?${query}` : "/";
}

let latest = 0;

async function show(url, keep) {
  const turn = ++latest;
  status().textContent = status().dataset.loading;
  document.getElementById("results").setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn !== latest) return;
    const focused = document.activeElement?.id;
    document.getElementById("main").replaceWith(page.getElementById("main"));
    document.querySelector(".switch").replaceWith(page.querySelector(".switch"));
    document.title = page.title;
    if (keep) history.pushState(null, "", url);
    if (focused) document.getElementById(focused)?.focus();
    status().textContent = status().dataset.done;
  } catch {
    location.assign(url);
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("#filters");
  if (form && event.target.tagName === "SELECT") show(address(form), true);
});

document.addEventListener("submit", (event) => {
  if (event.target.id !== "filters") return;
  event.preventDefault();
  show(address(event.target), true);
});

window.addEventListener("popstate", () => {
  if (document.getElementById("filters")) show(location.href, false);
});
