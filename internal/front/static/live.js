// Keeps the parts of a page that are marked with data-live up to date: loads the page anew every few seconds and
// replaces a part when it changed. Everything else on the page, focus included, stays as it is.
"use strict";
(() => {
  const every = Number(document.body.dataset.every) * 1000;
  if (!every) return;

  const refresh = async () => {
    if (document.hidden) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = next.getElementById(part.id);
      if (!fresh || fresh.innerHTML === part.innerHTML) continue;
      const held = part.contains(document.activeElement) ? document.activeElement.id : "";
      part.replaceChildren(...fresh.childNodes);
      if (held) document.getElementById(held)?.focus();
    }
  };

  const loop = () => refresh().catch(() => {}).finally(() => setTimeout(loop, every));
  setTimeout(loop, every);
  document.addEventListener("visibilitychange", () => { refresh().catch(() => {}); });
})();
