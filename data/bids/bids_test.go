package bids

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const recording = "sub-01/ses-a/eeg/sub-01_ses-a_task-emo_run-2_eeg.edf"

// put writes files and opens the directory.
func put(t testing.TB, files map[string]string) *Dataset {
	t.Helper()
	dir := t.TempDir()
	var names []string
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	d, err := Open(dir, names)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPattern(t *testing.T) {
	p := regexp.MustCompile(Pattern)
	for name, want := range map[string][]string{
		recording: {"01", "a", "emo", "", "2"},
		"sub-x1/eeg/sub-x1_task-rest_acq-hi_eeg.vhdr":             {"x1", "", "rest", "hi", ""},
		"sub-1/eeg/sub-1_task-rest_desc-clean_eeg.SET":            {"1", "", "rest", "", ""},
		"sub-1/eeg/sub-1_task-rest_run-1_split-02_eeg.bdf":        {"1", "", "rest", "", "1"},
		"sub-1/meg/sub-1_task-rest_meg.fif":                       nil,
		"derivatives/sub-1/eeg/sub-1_task-rest_eeg.edf":           nil,
		"sub-1/eeg/sub-1_task-rest_events.tsv":                    nil,
		"sub-1/eeg/sub-1_task-rest_eeg.eeg":                       nil,
		"sub-1/ses-a/ses-b/eeg/sub-1_ses-a_task-rest_eeg.edf":     nil,
		"sub-01/ses-a/eeg/sub-01_ses-a_task-emo_run-2_eeg.edf.gz": nil,
	} {
		m := p.FindStringSubmatch(name)
		var got []string
		for _, g := range []string{"subject", "session", "task", "acquisition", "run"} {
			if m != nil {
				got = append(got, m[p.SubexpIndex(g)])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestMisplaced(t *testing.T) {
	for name, want := range map[string]bool{recording: false, "sub-02/ses-a/eeg/sub-01_ses-a_task-emo_eeg.edf": true, "sub-01/ses-b/eeg/sub-01_ses-a_task-emo_eeg.edf": true,
		"sub-01/ses-b/eeg/sub-01_task-emo_eeg.edf": true, "sub-01/eeg/sub-01_task-emo_eeg.edf": false} {
		if got := Misplaced(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestBeside: the inheritance principle.
func TestBeside(t *testing.T) {
	d := put(t, map[string]string{
		"task-emo_events.tsv":      "",
		"events.tsv":               "",
		"task-rest_events.tsv":     "",
		"sub-01/sub-01_events.tsv": "",
		"sub-01/ses-a/eeg/sub-01_ses-a_task-emo_events.tsv":           "",
		"sub-01/ses-a/eeg/sub-01_ses-a_task-emo_run-2_events.tsv":     "",
		"sub-01/ses-a/eeg/sub-01_ses-a_task-emo_run-1_events.tsv":     "",
		"sub-01/ses-b/eeg/sub-01_ses-b_task-emo_run-2_events.tsv":     "",
		"sub-02/sub-02_events.tsv":                                    "",
		"sub-01/ses-a/eeg/sub-01_ses-a_space-CapTrak_electrodes.tsv":  "",
		"sub-01/ses-a/eeg/sub-01_ses-a_space-EEGLAB_electrodes.tsv":   "",
		"sub-01/ses-a/eeg/sub-01_ses-a_acq-hi_electrodes.tsv":         "",
		"sub-01/ses-a/eeg/sub-01_ses-a_task-emo_run-2_events.json":    "{}",
		"sub-01/ses-a/eeg/sub-01_ses-a_task-emo_run-2_channels.json5": "",
	})
	want := []string{"events.tsv", "task-emo_events.tsv", "sub-01/sub-01_events.tsv", "sub-01/ses-a/eeg/sub-01_ses-a_task-emo_events.tsv", "sub-01/ses-a/eeg/sub-01_ses-a_task-emo_run-2_events.tsv"}
	if diff := cmp.Diff(want, d.Beside(recording, "events", ".tsv")); diff != "" {
		t.Error(diff)
	}
	electrodes := d.Beside(recording, "electrodes", ".tsv")
	if len(electrodes) != 2 || len(Rivals(electrodes)) != 2 || Space(electrodes[0]) != "CapTrak" {
		t.Errorf("electrodes %v, rivals %v", electrodes, Rivals(electrodes))
	}
	if r := Rivals(d.Beside(recording, "events", ".tsv")); len(r) != 1 {
		t.Errorf("rivals %v", r)
	}
}

func TestNotesOfTheNearestCount(t *testing.T) {
	d := put(t, map[string]string{"eeg.json": `{"A": 1, "B": 1, "C": 1}`, "sub-01/sub-01_eeg.json": `{"B": 2, "C": 2}`, "sub-01/ses-a/eeg/sub-01_ses-a_task-emo_eeg.json": `{"C": 3}`})
	got, err := d.Notes(recording, "eeg")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"A": 1., "B": 2., "C": 3.}, got); diff != "" {
		t.Error(diff)
	}
}

// TestIgnored: patterns of gitignore's documentation.
func TestIgnored(t *testing.T) {
	d := put(t, map[string]string{".bidsignore": "# a comment\n\n*_skip_*\n/sub-02\nextra/\nsub-03/**/*.bdf\n!sub-03/eeg/keep.bdf\n"})
	for name, want := range map[string]bool{
		"sub-01/eeg/a_skip_eeg.edf":    true,
		"sub-01/eeg/a_eeg.edf":         false,
		"sub-02/eeg/a_eeg.edf":         true,
		"x/sub-02/eeg/a_eeg.edf":       false,
		"sub-01/extra/a_eeg.edf":       true,
		"sub-03/eeg/a_eeg.bdf":         true,
		"sub-03/eeg/keep.bdf":          false,
		"sub-03/ses-1/eeg/a_eeg.bdf":   true,
		"sub-03/eeg/a_eeg.edf":         false,
		"# a comment":                  false,
		"sub-01_skip_x/eeg/a_eeg.vhdr": true,
	} {
		if got := d.Ignored(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestApart(t *testing.T) {
	for name, want := range map[string]bool{"derivatives/x/sub-1_eeg.edf": true, "sourcedata/a": true, "sub-1/derivatives/a": false, "code/x.py": true, "sub-1/eeg/a": false} {
		if Apart(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestTable(t *testing.T) {
	for about, text := range map[string]string{
		"as it should be":     "onset\ttrial_type\n1\tglad \n2\tn/a\n",
		"of Windows":          "\xef\xbb\xbfonset\ttrial_type\r\n1\tglad\r\n\r\n2\t\r\n",
		"of an old Mac":       "onset\ttrial_type\r1\tglad\r2\tNaN\r",
		"with a line torn":    "onset\ttrial_type\n1\tglad\n2\n",
		"with a cell too far": "onset\ttrial_type\n1\tglad\tx\n2\tn/a\n",
	} {
		var tab Table
		if err := tab.parse(text); err != nil {
			t.Fatalf("%s: %v", about, err)
		}
		if diff := cmp.Diff([][]string{{"1", "glad"}, {"2", NA}}, tab.Rows); diff != "" || !tab.Has("trial_type") || tab.Cell(0, "trial_type") != "glad" || tab.Cell(0, "other") != NA {
			t.Errorf("%s: %v %v", about, tab.Columns, tab.Rows)
		}
		if values, counts := tab.Values("trial_type"); len(values) != 1 || counts["glad"] != 1 {
			t.Errorf("%s: values %v", about, values)
		}
		if torn := len(tab.Torn) > 0; torn != (strings.HasPrefix(about, "with")) {
			t.Errorf("%s: torn lines %v", about, tab.Torn)
		}
	}
	for says, text := range map[string]string{"it is empty": "\n", "not parted by tabs": "onset,duration\n1,2\n", "two columns a": "a\ta\n"} {
		var tab Table
		if err := tab.parse(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want %q", text, err, says)
		}
	}
	var latin Table
	if err := latin.parse("a\tb\ngl\xfccklich\t1\n"); err != nil || latin.Rows[0][0] != "glücklich" {
		t.Errorf("Latin-1: %v, %v", latin.Rows, err)
	}
}

func FuzzTable(f *testing.F) {
	f.Add("onset\tduration\n1\t2\n")
	f.Add("a,b\n")
	f.Fuzz(func(t *testing.T, text string) {
		var tab Table
		if tab.parse(text) != nil {
			return
		}
		for r := range tab.Rows {
			if len(tab.Rows[r]) != len(tab.Columns) {
				t.Fatalf("row %d has %d cells of %d columns", r, len(tab.Rows[r]), len(tab.Columns))
			}
			for _, c := range tab.Columns {
				tab.Cell(r, c)
			}
		}
	})
}

func FuzzIgnored(f *testing.F) {
	f.Add("!/a/**\n[z-", "a/b")
	f.Fuzz(func(t *testing.T, patterns, name string) {
		(&Dataset{ignored: strings.Split(patterns, "\n")}).Ignored(name)
	})
}

// TestTableIsReadOnce: one that applies to many recordings is the same for all.
func TestTableIsReadOnce(t *testing.T) {
	d := put(t, map[string]string{"task-emo_events.tsv": "onset\tduration\n1\t2\n"})
	one, err := d.Table("sub-1/eeg/sub-1_task-emo_eeg.edf", "events")
	if err != nil || one == nil {
		t.Fatal(one, err)
	}
	other, err := d.Table("sub-2/eeg/sub-2_task-emo_eeg.edf", "events")
	if err != nil || one != other {
		t.Errorf("it was read again: %p and %p, %v", one, other, err)
	}
}
