//go:build slow

package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/eegprune/eegprune/internal/chromium"
)

// measured is the report of measure.js on a page.
type measured struct {
	Errors  []string
	Figures []struct {
		Width, Height float64
		Texts         int
		Overlaps      []string // pairs of texts that cover a good part of each other
		Outside       []string // texts beyond the figure's edge
	}
	Width, Scroll float64 // of the window, and of its content
	Tables        int
}

// browse measures a page in headless Chromium, with arguments such as the window's size.
func browse(t *testing.T, page string, arguments ...string) (m measured) {
	t.Helper()
	script, err := os.ReadFile("testdata/measure.js")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	chromium.Measure(t, path, string(script), &m, arguments...)
	return m
}

func TestThePageInChromium(t *testing.T) {
	d := madeUpDocument()
	page := written(t, func(b *bytes.Buffer) error { return Page(b, d) })
	figures, err := d.Figures()
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []string{"1280,900", "800,1100", "400,800"} {
		m := browse(t, page, "--window-size="+size)
		if len(m.Errors) > 0 {
			t.Errorf("%s: %v", size, m.Errors)
		}
		if len(m.Figures) != len(figures) || m.Tables < 8 {
			t.Errorf("%s: %d figures of %d, %d tables", size, len(m.Figures), len(figures), m.Tables)
		}
		if m.Scroll > m.Width+1 {
			t.Errorf("%s: the page is %g wide in a window of %g", size, m.Scroll, m.Width)
		}
		for i, f := range m.Figures {
			if f.Width < 200 || f.Height < 60 || f.Texts < 5 {
				t.Errorf("%s: figure %s is %g x %g with %d texts", size, figures[i].Name, f.Width, f.Height, f.Texts)
			}
			if len(f.Overlaps) > 0 || len(f.Outside) > 0 {
				t.Errorf("%s: figure %s: texts over each other %v, outside %v", size, figures[i].Name, f.Overlaps, f.Outside)
			}
		}
	}
}

// The test must see errors, overlaps and texts outside.
func TestTheBrowserSeesWhatIsWrong(t *testing.T) {
	m := browse(t, `<html><head></head><body><script>nothing.is.here()</script>
<figure><svg width="300" height="100"><text x="50" y="50">one</text><text x="52" y="51">two</text><text x="295" y="90">far out</text></svg></figure></body></html>`)
	if len(m.Errors) != 1 || len(m.Figures) != 1 || len(m.Figures[0].Overlaps) != 1 || len(m.Figures[0].Outside) != 1 {
		t.Error(fmt.Sprintf("%+v", m))
	}
}
