package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/schema/schematest"
)

func TestInitWritesWhatIsReadBack(t *testing.T) {
	dir := recordings(t)
	manifest := filepath.Join(dir, "recordings", "eegprune.yaml")
	want := must(t, dir, "data", "info", "recordings").stdout
	if err := os.Remove(manifest); err != nil {
		t.Fatal(err)
	}
	must(t, dir, "init", "recordings", "--yes")
	// The simulation's own manifest and this one differ in the first line, which names them, and
	// in the simulation's note on itself.
	_, want, _ = strings.Cut(want, "\n")
	want, _, _ = strings.Cut(want, "note: simulated")
	if _, got, _ := strings.Cut(must(t, dir, "data", "info", "recordings", "--strict").stdout, "\n"); got != want {
		t.Errorf("data info says\n%s\nwant\n%s", got, want)
	}
	must(t, dir, "study", "validate", "study.yaml")

	r := eegprune(t, dir, "init", "recordings", "--yes")
	if oneSentence(t, r, "recordings/eegprune.yaml", "study.yaml", "nothing is written"); r.code != 1 {
		t.Errorf("exit code %d, want 1", r.code)
	}
	writeText(t, manifest, "mine")
	must(t, dir, "init", "recordings", "--yes", "--out", "other.yaml")
	if b, err := os.ReadFile(manifest); err != nil || string(b) != "mine" {
		t.Errorf("a manifest that was there is now %q, %v", b, err)
	}
}

func TestInitNamesSchemas(t *testing.T) {
	dir := recordings(t)
	manifest := filepath.Join(dir, "recordings", "eegprune.yaml")
	if err := os.Remove(manifest); err != nil {
		t.Fatal(err)
	}
	must(t, dir, "init", "recordings", "--yes", "--schemas")
	for _, path := range []string{manifest, filepath.Join(dir, "study.yaml")} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		_, name, ok := strings.Cut(line, "# yaml-language-server: $schema=")
		if !ok {
			t.Fatalf("%s begins with %q", path, line)
		}
		schema := filepath.Join(filepath.Dir(path), name)
		if err := schematest.Validate(schema, text); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if schematest.Validate(schema, append(text, "\nmisspelt: 1\n"...)) == nil {
			t.Errorf("the schema of %s takes a misspelt key", path)
		}
	}
	must(t, dir, "data", "info", "recordings", "--strict") // a schema is no recording
	must(t, dir, "study", "validate", "study.yaml")
	must(t, dir, "init", "recordings", "--yes", "--schemas", "--out", "second.yaml") // it shares the schema
}

func TestInitAsks(t *testing.T) {
	dir := recordings(t)
	manifest := filepath.Join(dir, "recordings", "eegprune.yaml")
	if err := os.Remove(manifest); err != nil {
		t.Fatal(err)
	}
	c := command(dir, "init", "recordings")
	c.Stdin = strings.NewReader("\n") // answers end too early
	if r := finish(t, c); r.code != 2 || !strings.Contains(r.stderr, "--yes") {
		t.Errorf("exit code %d, want 2: %s", r.code, r.stderr)
	}
	if _, err := os.Stat(manifest); err == nil {
		t.Error("a manifest was written without its answers")
	}
	c = command(dir, "init", "recordings")
	c.Stdin = strings.NewReader("\n\nnegative=sad,positive=glad\n")
	if r := finish(t, c); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if text := must(t, dir, "data", "info", "recordings").stdout; !strings.Contains(text, "classes   sad, glad") {
		t.Errorf("data info says\n%s", text)
	}
}
