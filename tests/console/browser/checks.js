// What is wrong with a page for those who can't see it, can't use a mouse, or have a small screen (WCAG 2.2 AA).
(() => {
  const wrong = [];
  const say = (what, element) => wrong.push(`${what}: ${element.outerHTML.slice(0, 160)}`);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const name = (element) => (element.getAttribute("aria-label") || element.textContent || "").trim();
  const isShown = (element) => element.checkVisibility() && element.getBoundingClientRect().right > 0;

  if (!document.documentElement.lang) wrong.push("the page has no language");
  if (!document.title) wrong.push("the page has no title");
  for (const one of ["h1", "main", "header", "footer"]) {
    if (all(one).length !== 1) wrong.push(`${all(one).length} elements ${one}`);
  }
  const ids = all("[id]").map((element) => element.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => wrong.push(`two elements have the id ${id}`));
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) say(`a heading of level ${next} after one of level ${level}`, heading);
    level = next;
  }
  for (const element of all("a[href], button, summary")) if (!name(element)) say("it has no name", element);
  for (const element of all("input:not([type=hidden]), select, textarea")) {
    if (![...element.labels].some(name) && !element.getAttribute("aria-label")) say("it has no label", element);
  }
  for (const element of all("th:not([scope])")) say("it says of nothing that it is its head", element);
  for (const element of all("table")) if (!element.querySelector("th")) say("it has no heads", element);
  for (const element of all("[role=img]")) if (!name(element)) say("a picture without words", element);
  for (const element of all("[style], [onclick], [onload], script:not([src]), style")) say("it stands in the page", element);

  const target = (element) => {
    const boxes = [element, ...(element.labels || [])].map((box) => box.getBoundingClientRect());
    return Math.max(...boxes.map((box) => Math.min(box.width, box.height)));
  };
  for (const element of all("button, input:not([type=hidden]), select, textarea, summary, nav a")) {
    if (isShown(element) && target(element) < 24) say(`it is ${target(element)} px small`, element);
  }

  const colour = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => {
    const mix = (one) => top[one] * top.a + below[one] * (1 - top.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const behind = (element) => {
    if (!element) return { r: 255, g: 255, b: 255, a: 1 };
    const own = colour(getComputedStyle(element).backgroundColor);
    return own.a === 1 ? own : over(own, behind(element.parentElement));
  };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !isShown(element) || element.closest("noscript")) continue;
    const back = behind(element);
    const [one, other] = [light(over(colour(getComputedStyle(element).color), back)), light(back)].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) say(`its contrast is ${contrast.toFixed(2)}`, element);
  }

  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) wrong.push(`it is ${scrollWidth} px wide on ${clientWidth}`);
  return wrong;
})()
