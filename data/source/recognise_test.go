package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A directory of the features that a set brings along is told from its recordings.
func TestFeaturesOfSetsAreNoRecordings(t *testing.T) {
	for name, want := range map[string]string{
		"EEG_Features/DE/sub000.pkl.pkl":      "give the directory of the recordings, Processed_data",
		"eeg_feature_smooth/1/1_20160518.mat": "the recordings, eeg_raw_data",
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
