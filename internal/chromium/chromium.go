// Package chromium opens pages in a headless browser for tests.
package chromium

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
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

// DOM returns what a page is once its scripts have run, as HTML. page is the path of a file. The
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
