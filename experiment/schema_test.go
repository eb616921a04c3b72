package experiment

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/eegprune/eegprune/internal/schema/schematest"
)

const schemaDir = "../docs/schema"

// TestSchemasAreCurrent makes them anew where UPDATE_SCHEMAS is set.
func TestSchemasAreCurrent(t *testing.T) {
	all, err := Schemas()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		path := filepath.Join(schemaDir, name)
		if os.Getenv("UPDATE_SCHEMAS") != "" {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, want) {
			t.Errorf("%s is not what the types say (%v): run UPDATE_SCHEMAS=1 go test ./experiment -run Schemas", path, err)
		}
	}
}

// accepts validates YAML by a schema of the directory.
func accepts(t *testing.T, name string, text []byte) error {
	t.Helper()
	return schematest.Validate(filepath.Join(schemaDir, name), text)
}

func TestSchemasAcceptAllExamples(t *testing.T) {
	found := map[string]int{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		name := ""
		switch {
		case d.Name() == "eegprune.yaml":
			name = "eegprune.json"
		case filepath.Dir(path) == "../studies":
			name = "study.json"
		default:
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found[name]++
		if err := accepts(t, name, b); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil || found["eegprune.json"] < 10 || found["study.json"] < 5 {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestSchemasRefuseMisspeltKeys(t *testing.T) {
	for _, c := range []struct{ name, good, bad string }{
		{"study.json", "networks: [{model: eegnet}]", "netwroks: [{model: eegnet}]"},
		{"study.json", "networks: [{model: eegnet, train: {epochs: 2}}]", "networks: [{model: eegnet, train: {epoch: 2}}]"},
		{"study.json", "networks: [{model: eegnet, features: {seconds: 2}}]", "networks: [{model: eegnet, features: {second: 2}}]"},
		{"study.json", "prune: {methods: [lfp]}", "prune: {methods: [lpf]}"},
		{"study.json", "split: {folds: 2}", "split: {fold: 2}"},
		{"eegprune.json", "{format: edf, label: {group: task}}", "{format: edf, label: {groop: task}}"},
		{"eegprune.json", "format: edf", "format: edff"},
	} {
		if err := accepts(t, c.name, []byte(c.good)); err != nil {
			t.Errorf("%s: %v", c.good, err)
		}
		if accepts(t, c.name, []byte(c.bad)) == nil {
			t.Errorf("%s is accepted", c.bad)
		}
	}
}
