// Runs in a page of the browser: each picture in frames as wide as small and usual telephones and a desktop, every text in it measured.
// biome-ignore lint/correctness/noUnusedVariables: a page calls it
function look(pictures) {
  const luminance = (colour) => {
    const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
      const value = Number(part) / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const isOpaque = (colour) => colour !== 'none' && colour !== 'transparent' && !colour.endsWith(', 0)');
  const one = async (name, html, width) => {
    const frame = document.createElement('iframe');
    frame.width = String(width);
    frame.height = '6000';
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    frame.srcdoc = html;
    document.body.append(frame);
    await loaded;
    const page = frame.contentDocument;
    const view = frame.contentWindow;
    if (!page || !view) throw new Error('no frame');
    const faults = [];
    const boxes = [];
    let least = 21;
    const walker = page.createTreeWalker(page.body, 4);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      const words = node.textContent?.trim() ?? '';
      if (!parent || words === '' || ['STYLE', 'style', 'title', 'desc'].includes(parent.tagName)) continue;
      const range = page.createRange();
      range.selectNodeContents(node);
      const style = view.getComputedStyle(parent);
      const colour = parent.namespaceURI?.endsWith('svg') ? style.fill : style.color;
      const lines = Array.from(range.getClientRects());
      if (lines.length > 2 && words.length / lines.length < 12) faults.push(`${words.slice(0, 40)} is squeezed`);
      for (const box of lines) {
        if (box.width < 1) continue;
        boxes.push({ words: words.slice(0, 40), box });
        const behind = page.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2).map((element) => {
          const { fill, backgroundColor } = view.getComputedStyle(element);
          return element.tagName === 'rect' ? fill : backgroundColor;
        });
        least = Math.min(least, contrast(colour, behind.find(isOpaque) ?? 'rgb(255,0,0)'));
        const panel = parent.closest('section, svg')?.getBoundingClientRect();
        if (box.right > width || box.left < 0) faults.push(`${words.slice(0, 40)} is outside the page`);
        if (panel && (box.right > panel.right || box.bottom > panel.bottom))
          faults.push(`${words.slice(0, 40)} is outside its panel`);
      }
    }
    for (const shape of Array.from(page.querySelectorAll('svg .shape, svg rect.cut, svg rect.work, .bar'))) {
      boxes.push({ words: `a ${shape.getAttribute('class')}`, box: shape.getBoundingClientRect() });
    }
    for (const [at, a] of boxes.entries()) {
      for (const b of boxes.slice(at + 1)) {
        const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        // Boxes of lines of text hold the space between lines too.
        if (wide > 1 && high > 3) faults.push(`${a.words} and ${b.words} overlap`);
      }
    }
    if (page.documentElement.scrollWidth > width) faults.push('the page scrolls sideways');
    const scripts = page.querySelectorAll('script, img, b, link').length;
    frame.remove();
    return { name: `${name} at ${width}`, texts: boxes.length, scripts, contrast: least, faults };
  };
  const frames = Object.entries(pictures).flatMap(([name, html]) =>
    [320, 390, 1200].map((width) => [name, html, width]),
  );
  return frames.reduce(
    async (before, [name, html, width]) => [...(await before), await one(name, html, width)],
    Promise.resolve([]),
  );
}
