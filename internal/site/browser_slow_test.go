//go:build slow

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/eegprune/eegprune/internal/chromium"
)

// look is a script that measures a page: its errors, the elements wider than the window, pictures
// that did not load, requests to other hosts, and the contrast of text (WCAG 2's ratio).
const look = `
function measure() {
  const light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(Number).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const paper = getComputedStyle(document.body).backgroundColor;
  const contrasts = [...document.querySelectorAll("main, main a, nav a, nav p, td, h2")].map(e => ratio(getComputedStyle(e).color, paper));
  return {
    Errors: window.errors, Width: document.documentElement.clientWidth, Scroll: document.documentElement.scrollWidth,
    Broken: [...document.images].filter(i => i.naturalWidth === 0).map(i => i.src),
    Outside: performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith("file:")),
    Contrast: Math.min(...contrasts), Paper: light(paper), Text: document.querySelector("main").innerText.length,
  };
}`

type looked struct {
	Errors, Broken, Outside []string
	Width, Scroll           float64
	Contrast, Paper, Text   float64
}

func lookAt(t *testing.T, file string, arguments ...string) (l looked) {
	t.Helper()
	chromium.Measure(t, file, look, &l, arguments...)
	return l
}

func TestEveryPageInChromium(t *testing.T) {
	pages, dir := built(t)
	for name := range pages {
		for _, arguments := range [][]string{
			{"--window-size=1280,900"},
			{"--window-size=500,900", "--blink-settings=preferredColorScheme=0"},
		} {
			l := lookAt(t, filepath.Join(dir, name), arguments...)
			if len(l.Errors)+len(l.Broken)+len(l.Outside) > 0 {
				t.Errorf("%s %v: errors %v, broken %v, outside %v", name, arguments, l.Errors, l.Broken, l.Outside)
			}
			if l.Scroll > l.Width+1 {
				t.Errorf("%s %v: the page is %g wide in a window of %g", name, arguments, l.Scroll, l.Width)
			}
			if l.Contrast < 4.5 || l.Text < 300 {
				t.Errorf("%s %v: contrast %.1f, %g letters", name, arguments, l.Contrast, l.Text)
			}
			if dark := len(arguments) == 2; dark != (l.Paper < 0.2) {
				t.Errorf("%s %v: the paper's luminance is %.2f", name, arguments, l.Paper)
			}
		}
	}
}

// The test must see the faults of a page.
func TestTheBrowserSeesWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.html")
	page := `<html><head></head><body style="background:#fff"><main><p style="width:3000px">wide</p><a href="#" style="color:#ddd">faint</a><img src="nothing.svg"></main></body></html>`
	if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	l := lookAt(t, file, "--window-size=800,600")
	if len(l.Broken) != 1 || l.Scroll <= l.Width || l.Contrast > 2 || l.Text > 300 {
		t.Errorf("%+v", l)
	}
}
