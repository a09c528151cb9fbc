"use strict";
// Shows times in the browser's zone, and replaces cards that have changed. Without it, all pages work.
(() => {
  const local = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) {
        time.title = time.textContent;
        time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
      }
    }
  };
  local(document);

  const address = document.body.dataset.live;
  if (!address || !window.EventSource) return;
  let stream = null;
  const known = new Map();

  const isBusy = (element) =>
    element.contains(document.activeElement) && document.activeElement !== document.body;

  const put = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    if (!fresh || !fresh.id) return;
    const old = document.getElementById(fresh.id);
    if (!old || known.get(fresh.id) === html || isBusy(old)) return;
    known.set(fresh.id, html);
    local(fresh);
    old.replaceWith(fresh);
  };

  const begin = () => {
    if (stream) return;
    stream = new EventSource(address);
    stream.addEventListener("part", (event) => put(JSON.parse(event.data)));
  };
  const end = () => {
    if (stream) stream.close();
    stream = null;
  };
  // A browser has six connections to a server: a page that nobody looks at takes none.
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  if (!document.hidden) begin();
})();
