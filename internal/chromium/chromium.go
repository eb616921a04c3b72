// Package chromium opens pages in a headless browser for tests.
package chromium

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Path returns a browser: that of EEGPRUNE_CHROMIUM, or one on the path. The test fails where
// there is none.
func Path(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("EEGPRUNE_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium: make test-page installs it")
	return ""
}

// DOM returns the HTML of a page after its scripts have run. page is the path of a file. The
// arguments are the browser's, such as the size of its window.
func DOM(t testing.TB, page string, arguments ...string) []byte {
	t.Helper()
	path, err := filepath.Abs(page)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	arguments = append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + t.TempDir(),
		"--virtual-time-budget=10000", "--dump-dom"}, append(arguments, "file://"+path)...)
	var stderr bytes.Buffer
	c := exec.CommandContext(ctx, Path(t), arguments...)
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("Chromium: %v\n%s", err, stderr.String())
	}
	return out
}

var measured = regexp.MustCompile(`(?s)<pre id="measured">(.*?)</pre>`)

// Measure returns in v the result of a script in a page. script defines the function measure, which
// is called once the page has loaded; window.errors are the messages of the errors until then. The
// page itself stays as it is: a copy beside it, where its pictures are found, has the script.
func Measure(t testing.TB, page, script string, v any, arguments ...string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	copied := strings.Replace(string(text), "<head>", `<head><script>window.errors = [];
addEventListener("error", e => errors.push(String(e.message)), true);</script>`, 1)
	copied = strings.Replace(copied, "</body>", "<script>"+script+`
addEventListener("load", () => {
  const out = document.createElement("pre");
  out.id = "measured";
  out.textContent = JSON.stringify(measure());
  document.body.append(out);
});</script></body>`, 1)
	path := filepath.Join(filepath.Dir(page), "measured-"+filepath.Base(page))
	if err := os.WriteFile(path, []byte(copied), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	out := DOM(t, path, arguments...)
	found := measured.FindSubmatch(out)
	if found == nil {
		t.Fatalf("%s was not measured:\n%s", page, out)
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(string(found[1]))), v); err != nil {
		t.Fatal(err)
	}
}
