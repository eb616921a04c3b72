// Measures the figures of a page: their sizes, texts that cover each other, texts beyond
// the edge. A text at an angle is measured by its upright box.
function measure() {
  const share = 0.25, edge = 1;
  const area = b => Math.max(0, b.right - b.left) * Math.max(0, b.bottom - b.top);
  const figures = [...document.querySelectorAll("figure svg")].map(svg => {
    const box = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter(t => t.textContent.trim() !== "");
    const boxes = texts.map(t => t.getBoundingClientRect());
    const overlaps = [], outside = [];
    boxes.forEach((a, i) => {
      if (a.left < box.left - edge || a.right > box.right + edge || a.top < box.top - edge || a.bottom > box.bottom + edge) outside.push(texts[i].textContent);
      boxes.slice(i + 1).forEach((b, k) => {
        const both = area({left: Math.max(a.left, b.left), right: Math.min(a.right, b.right), top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom)});
        if (both > share * Math.min(area(a), area(b))) overlaps.push(texts[i].textContent + " | " + texts[i + 1 + k].textContent);
      });
    });
    return {Width: box.width, Height: box.height, Texts: texts.length, Overlaps: overlaps, Outside: outside};
  });
  return {Errors: window.errors, Figures: figures, Width: document.documentElement.clientWidth,
    Scroll: document.documentElement.scrollWidth, Tables: document.querySelectorAll("table").length};
}
