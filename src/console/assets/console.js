"use strict";
// Shows times in the browser's zone, and replaces parts that have changed. Without it, all pages work.
(() => {
  const shown = (at) => at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const local = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) {
        time.title = time.textContent;
        time.textContent = shown(at);
      }
    }
  };
  local(document);
  // Times that people write are theirs.
  for (const zone of document.querySelectorAll("input[name=zone]")) zone.value = new Date().getTimezoneOffset();
  for (const zone of document.querySelectorAll("[data-zone]")) zone.textContent = zone.dataset.zone;

  const address = document.body.dataset.live;
  if (!address || !window.EventSource) return;
  let stream = null;
  let again = 0;
  const known = new Map();
  // What came while its element had the focus, by its id.
  const waiting = new Map();

  const isBusy = (element) =>
    element.contains(document.activeElement) && document.activeElement !== document.body;

  // Which cards there are, and in which order.
  const arrange = (list, ids) => {
    for (const card of [...list.children]) if (!ids.includes(card.id)) card.remove();
    ids.forEach((id, place) => {
      const card = document.getElementById(id);
      if (card && list.children[place] !== card) list.insertBefore(card, list.children[place] || null);
    });
  };

  const put = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
    if (!fresh || !fresh.id) return;
    const old = document.getElementById(fresh.id);
    if (known.get(fresh.id) === html) {
      waiting.delete(fresh.id);
      return;
    }
    if (old && isBusy(old)) {
      waiting.set(fresh.id, html);
      return;
    }
    waiting.delete(fresh.id);
    known.set(fresh.id, html);
    if (fresh.dataset.order !== undefined) {
      arrange(old, fresh.dataset.order.split(" "));
      return;
    }
    local(fresh);
    if (old) old.replaceWith(fresh);
    else document.getElementById("cards").append(fresh);
  };
  // The next element has the focus only after this event.
  document.addEventListener("focusout", () => setTimeout(() => [...waiting.values()].forEach(put)));

  const says = (text) => {
    let notice = document.getElementById("live");
    if (!notice) {
      notice = document.createElement("p");
      notice.id = "live";
      notice.className = "late";
      notice.setAttribute("role", "status");
      document.getElementById("main").prepend(notice);
    }
    notice.textContent = text;
    notice.hidden = !text;
  };

  const begin = () => {
    if (stream) return;
    stream = new EventSource(address);
    stream.addEventListener("part", (event) => put(JSON.parse(event.data)));
    stream.addEventListener("open", () => says(""));
    stream.addEventListener("error", () => {
      if (!stream || stream.readyState !== EventSource.CLOSED) return;
      const notice = document.getElementById("live");
      if (!notice || notice.hidden) says(document.body.dataset.lost.replace("{time}", () => shown(new Date())));
      end();
      again = setTimeout(begin, 10000);
    });
  };
  const end = () => {
    clearTimeout(again);
    if (stream) stream.close();
    stream = null;
  };
  // A browser has six connections to a server: a page that nobody looks at takes none.
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  if (!document.hidden) begin();
})();
