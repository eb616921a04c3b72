//go:build slow

package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/chromium"
)

// What the script of measure.js says of a page.
type measured struct {
	Errors  []string
	Figures []struct {
		Width, Height float64
		Texts         int
		Overlaps      []string // pairs of texts that cover a good part of each other
		Outside       []string // texts beyond the figure's edge
	}
	Width, Scroll float64 // of the window, and of what is in it
	Tables        int
}

// browse opens a page in headless Chromium, with arguments such as the window's size, and
// measures it. The page itself has no script: one is added to a copy.
func browse(t *testing.T, page string, arguments ...string) measured {
	t.Helper()
	script, err := os.ReadFile("testdata/measure.js")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "page.html")
	page = strings.Replace(page, "<head>", "<head><script>window.errors=[];window.addEventListener('error',e=>errors.push(String(e.message)),true)</script>", 1)
	page = strings.Replace(page, "</body>", "<script>"+string(script)+"</script></body>", 1)
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	out := chromium.DOM(t, path, arguments...)
	found := regexp.MustCompile(`(?s)<pre id="measured">(.*?)</pre>`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("the page was not measured:\n%s", out)
	}
	var m measured
	if err := json.Unmarshal([]byte(html.UnescapeString(string(found[1]))), &m); err != nil {
		t.Fatal(err)
	}
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

// The test must see what is wrong.
func TestTheBrowserSeesWhatIsWrong(t *testing.T) {
	m := browse(t, `<html><head></head><body><script>nothing.is.here()</script>
<figure><svg width="300" height="100"><text x="50" y="50">one</text><text x="52" y="51">two</text><text x="295" y="90">far out</text></svg></figure></body></html>`)
	if len(m.Errors) != 1 || len(m.Figures) != 1 || len(m.Figures[0].Overlaps) != 1 || len(m.Figures[0].Outside) != 1 {
		t.Error(fmt.Sprintf("%+v", m))
	}
}
