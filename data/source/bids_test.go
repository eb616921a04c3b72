package source

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/internal/note"
)

// bidsRecording is a recording of testdata/bids/set as MNE-BIDS reads it: see
// scripts/make_bids.py.
type bidsRecording struct {
	File, Subject, Session string
	Channels, Bads         []string
	Rate                   float64
	Events                 [][3]any // onset, duration, trial_type
	Microvolts             [][]float64
}

func bidsExpected(t *testing.T) []bidsRecording {
	t.Helper()
	b, err := os.ReadFile("testdata/bids/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []bidsRecording
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// bidsCopy copies the data set, without files whose names contain one of the given texts, and
// with others in their place. An empty text removes a file.
func bidsCopy(t *testing.T, without []string, with map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/bids/set")); err != nil {
		t.Fatal(err)
	}
	names, err := listFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if slices.ContainsFunc(without, func(w string) bool { return strings.Contains(n, w) }) {
			if err := os.Remove(filepath.Join(dir, n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n, text := range with {
		path := filepath.Join(dir, n)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if old, ok := strings.CutPrefix(text, "copy of "); ok {
			b, err := os.ReadFile(filepath.Join("testdata/bids/set", old))
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func sameSamples(got, want [][]float64) bool {
	return slices.EqualFunc(got, want, func(a, b []float64) bool {
		return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) < 2e-6 }) // MNE's values have six places
	})
}

func TestBIDSIsReadAsMNEBIDSReadsIt(t *testing.T) {
	s, err := Open("testdata/bids/set", "")
	if err != nil {
		t.Fatal(err)
	}
	want := bidsExpected(t)
	got := collect(t, s)
	if len(got) != len(want) {
		t.Fatalf("%d recordings, want %d", len(got), len(want))
	}
	for i, w := range want {
		r := got[i]
		if filepath.ToSlash(r.File) != "testdata/bids/set/"+w.File || r.Subject != w.Subject || r.Session != w.Session || r.Rate != w.Rate || !slices.Equal(r.Channels, w.Channels) {
			t.Errorf("%s %s %s %g %v, want %s %s %s %g %v", r.File, r.Subject, r.Session, r.Rate, r.Channels, w.File, w.Subject, w.Session, w.Rate, w.Channels)
		}
		if !sameSamples(r.Samples, w.Microvolts) {
			t.Errorf("%s: samples differ from MNE's", w.File)
		}
		bad := slices.ContainsFunc(r.Notes, func(n note.Note) bool { return strings.Contains(n.What, "marks as bad are read: Fp2;") })
		if bad != (len(w.Bads) > 0) {
			t.Errorf("%s: bad channels %v, notes %v", w.File, w.Bads, r.Notes)
		}
	}
}

func TestBIDSEventsAreTrials(t *testing.T) {
	for about, yaml := range map[string]string{
		"all values":   "format: bids\ntask: emo\nlabel: {column: trial_type}\n",
		"two of three": "format: bids\ntask: [emo]\nlabel: {column: trial_type, classes: {sad: low, happy: high}}\n",
	} {
		s, err := Open(bidsCopy(t, nil, map[string]string{ManifestName: yaml}), "")
		if err != nil {
			t.Fatal(err)
		}
		class := map[string]string{"happy": "happy", "sad": "sad", "fixation": "fixation"}
		if about != "all values" {
			class = map[string]string{"happy": "high", "sad": "low"}
		}
		got := collect(t, s)
		for _, w := range bidsExpected(t) {
			for _, e := range w.Events {
				name, ok := class[e[2].(string)]
				if !ok {
					continue
				}
				if len(got) == 0 {
					t.Fatalf("%s: too few trials", about)
				}
				r := got[0]
				got = got[1:]
				from, to := int(e[0].(float64)*w.Rate), int((e[0].(float64)+e[1].(float64))*w.Rate)
				want := make([][]float64, len(w.Microvolts))
				for c, x := range w.Microvolts {
					want[c] = x[from:to]
				}
				if s.Classes[int(r.Labels["label"])] != name || r.Offset != from || !sameSamples(r.Samples, want) {
					t.Errorf("%s: %s: %v from %d: class %v, offset %d, %d samples", about, w.File, e, from, r.Labels, r.Offset, r.Len())
				}
			}
		}
		if len(got) > 0 {
			t.Errorf("%s: %d trials too many", about, len(got))
		}
	}
}

const (
	first  = "sub-01/eeg/sub-01_task-emo_run-1_"
	second = "sub-02/ses-a/eeg/sub-02_ses-a_task-emo_"
)

// TestBIDSIsSaid has data sets that differ in one thing from the one of MNE-BIDS, with the note
// that each must have and the number of its trials.
func TestBIDSIsSaid(t *testing.T) {
	const column = "format: bids\nlabel: {column: trial_type, classes: {happy: high, sad: low}}\n"
	for about, c := range map[string]struct {
		yaml    string
		without []string
		with    map[string]string
		kind    note.Kind
		says    string
		trials  int
	}{
		"a subject without recordings": {with: map[string]string{"participants.tsv": "participant_id\tage\nsub-01\t20\nsub-02\t31\nsub-03\t24\nsub-07\t9\n"},
			kind: note.LeftOut, says: "participants.tsv names subjects of whom no recording is read: 07.", trials: 5},
		"a subject that is not listed": {with: map[string]string{"participants.tsv": "participant_id\tage\nsub-01\t20\n02\t31\n"},
			kind: note.Assumed, says: "doesn't name subjects of whom there are recordings: 03.", trials: 5},
		"columns of participants": {with: map[string]string{"participants.tsv": "participant_id\tage\tsex\nsub-01\t20\tF\nsub-02\t31\tM\nsub-03\tn/a\tF\n"},
			kind: note.About, says: "participants.tsv says of the subjects: age 20 to 31, sex F (2), M (1).", trials: 5},
		"derivatives": {with: map[string]string{"derivatives/clean/" + second + "eeg.edf": "copy of " + second + "eeg.edf"},
			kind: note.About, says: "1 file(s) in derivatives/", trials: 5},
		"bidsignore": {with: map[string]string{".bidsignore": "# not these\nsub-03/\n*_run-2_*\n"},
			kind: note.LeftOut, says: "2 recording(s) are left out, as .bidsignore has them: sub-01/eeg/sub-01_task-emo_run-2_eeg.vhdr, sub-03/eeg/sub-03_task-emo_eeg.bdf.", trials: 3},
		"a file in another's directory": {with: map[string]string{"sub-03/eeg/sub-04_task-emo_eeg.edf": "copy of " + second + "eeg.edf"},
			kind: note.LeftOut, says: "their names and directories name different subjects or sessions: sub-03/eeg/sub-04_task-emo_eeg.edf.", trials: 5},
		"one recording in two formats": {with: map[string]string{"sub-03/eeg/sub-03_task-emo_eeg.edf": "copy of " + second + "eeg.edf"}, without: []string{"sub-02"},
			kind: note.Repeated, says: "hold a recording that is there in another format too", trials: 4},
		"another rate": {with: map[string]string{second + "eeg.json": `{"SamplingFrequency": 128, "PowerLineFrequency": 60, "EEGReference": "Cz"}`},
			kind: note.Assumed, says: "Its eeg.json says 128 samples a second and the file itself 64, which is taken.", trials: 5},
		"the power line": {with: map[string]string{second + "eeg.json": `{"PowerLineFrequency": 60, "EEGReference": "Cz"}`},
			kind: note.About, says: "By its eeg.json the power line has 60 Hz, and the reference is Cz.", trials: 5},
		"a note at the root": {without: []string{"_eeg.json"}, with: map[string]string{"task-emo_eeg.json": `{"PowerLineFrequency": 60}`},
			kind: note.About, says: "By its eeg.json the power line has 60 Hz.", trials: 5},
		"another unit": {kind: note.Assumed, says: "Its channels.tsv has other units than the file, whose own are taken: Fp1 (V, in the file uV)", trials: 5},
		"channels at the root, of which one is EMG": {without: []string{"channels.tsv"}, with: map[string]string{"task-emo_channels.tsv": "name\ttype\tunits\nFp1\tEEG\tuV\nFp2\tEMG\tuV\nCz\tEEG\tuV\nVEOG\tEOG\tuV\nSTI\tTRIG\tn/a\n"},
			kind: note.LeftOut, says: "Channels are left out (EMG by channels.tsv): Fp2.", trials: 5},
		"channels that the file does not have": {with: map[string]string{second + "channels.tsv": "name\ttype\tunits\nFp1\tEEG\tuV\nFp2\tEEG\tuV\nCz\tEEG\tuV\nVEOG\tEOG\tuV\nO1\tEEG\tuV\n"},
			kind: note.LeftOut, says: "Its channels.tsv names channels that the file doesn't have: O1.", trials: 5},
		"channels that are not listed": {with: map[string]string{second + "channels.tsv": "name\ttype\tunits\nFp1\tEEG\tuV\nFp2\tEEG\tuV\nCz\tEEG\tuV\nVEOG\tEOG\tuV\n"},
			kind: note.Assumed, says: "Its channels.tsv says nothing of channels that the file has, which are told by their names: STI.", trials: 5},
		"bad for a reason": {with: map[string]string{second + "channels.tsv": "name\ttype\tunits\tstatus\tstatus_description\nFp1\tEEG\tuV\tbad\tno contact\nFp2\tEEG\tuV\tgood\tn/a\nCz\tEEG\tuV\tgood\tn/a\nVEOG\tEOG\tuV\tgood\tn/a\nSTI\tTRIG\tuV\tgood\tn/a\n"},
			kind: note.Assumed, says: "Channels that its channels.tsv marks as bad are read: Fp1 (no contact); channels.exclude leaves them out, and the preprocessing step InterpolateBads mends them.", trials: 5},
		"no coordinates": {without: []string{"sub-01_space-CapTrak_electrodes.tsv"}, with: map[string]string{"sub-01/eeg/sub-01_electrodes.tsv": "name\tx\ty\tz\nFp1\tn/a\tn/a\tn/a\n"},
			kind: note.LeftOut, says: "Places of channels are left out", trials: 5},
		"a note that is none": {with: map[string]string{first + "eeg.json": "{"},
			kind: note.LeftOut, says: "_eeg.json: it is no JSON object", trials: 5},
		"subjects without names": {with: map[string]string{"participants.tsv": "id\nsub-01\n"},
			kind: note.LeftOut, says: "participants.tsv: it has no column participant_id", trials: 5},
		"channels without names": {with: map[string]string{second + "channels.tsv": "type\nEEG\n"},
			kind: note.Assumed, says: "Its channels.tsv can't be read, so that channels are told by their names alone", trials: 5},
		"events that nobody asks for": {with: map[string]string{second + "events.tsv": "onset,duration\n1,1\n"},
			kind: note.LeftOut, says: "Its events.tsv can't be read and is left out", trials: 5},
		"several tasks": {kind: note.About, says: "Recordings are of several tasks, and all are read: emo (4), rest (1); task: chooses.", trials: 5},
		"one task":      {yaml: "format: bids\ntask: rest\n", kind: note.About, says: "4 recording(s) are of other tasks than is asked for", trials: 1},
		"no events":     {yaml: column, kind: note.LeftOut, says: "1 recording(s) have no events.tsv and are left out: sub-01/eeg/sub-01_task-rest_eeg.vhdr.", trials: 8},
		"no event of a class": {yaml: column, with: map[string]string{second + "events.tsv": "onset\tduration\ttrial_type\n1\t1\tfixation\n"},
			kind: note.LeftOut, says: "1 recording(s) have no event of a class and are left out: " + second + "eeg.edf.", trials: 6},
		"events that are no class": {yaml: column, kind: note.LeftOut, says: `1 event(s) have texts that are none of label.classes and are left out: "fixation".`, trials: 8},
		"events without a name": {yaml: column, with: map[string]string{second + "events.tsv": "onset\tduration\ttrial_type\n1\t1\thappy\n2\t1\tn/a\n3\t1\tsad\n"},
			kind: note.LeftOut, says: `none of label.classes and are left out: "n/a".`, trials: 8},
		"events without a time": {yaml: column, with: map[string]string{second + "events.tsv": "onset\tduration\ttrial_type\nn/a\t1\thappy\n2\t1\tsad\n3,5\t1\tsad\n"},
			kind: note.LeftOut, says: `2 event(s) have no time and are left out: "happy" with onset "n/a", "sad" with onset "3,5".`, trials: 7},
		"events in milliseconds": {yaml: column, with: map[string]string{second + "events.tsv": "onset\tduration\ttrial_type\tsample\n1000\t1\thappy\t64\n2\t1\tsad\t128\n"},
			kind: note.Assumed, says: `1 event(s) have an onset that is not at their sample, and the onset is taken: "happy" at 1000 s and sample 64.`, trials: 7},
		"events after the end": {yaml: column, with: map[string]string{second + "events.tsv": "onset\tduration\ttrial_type\n1000\t1\thappy\n2\t1\tsad\n"},
			kind: note.LeftOut, says: `1 event(s) lie outside the recording and are left out: "happy" at 1000 s (after the end at 6 s).`, trials: 7},
		"an event twice": {yaml: column, with: map[string]string{second + "events.tsv": "onset\tduration\ttrial_type\n1\t1\thappy\n1\t1\thappy\n2\t1\tsad\n"},
			kind: note.Repeated, says: `1 event(s) repeat another and are taken once: "happy" at 1 s.`, trials: 8},
		"lines that are torn": {yaml: column, with: map[string]string{second + "events.tsv": "onset\tduration\ttrial_type\tvalue\n1\t1\thappy\n2\t1\tsad\t2\n"},
			kind: note.Assumed, says: "Its events.tsv has lines of another number of cells than it has columns: cells that are missing are taken for n/a (lines 2).", trials: 8},
		"events at the root": {yaml: "format: bids\ntask: emo\nlabel: {column: kind}\n", without: []string{"_events.tsv"}, with: map[string]string{"task-emo_events.tsv": "onset\tduration\tkind\n1\t1\tb\n3\t1\ta\n"},
			kind: note.About, says: "Classes are all values of the column kind of events.tsv: a, b.", trials: 8},
		"labels of participants": {yaml: "format: bids\ntask: emo\nlabel: {participant: sex}\n", kind: note.About, says: "Classes are all values of the column sex of participants.tsv: F, M.", trials: 4},
		"labels of tasks":        {yaml: "format: bids\nlabel: {group: task, classes: {rest: rest, emo: film}}\n", kind: note.About, says: `Class "rest" has no file for subject 02, 03.`, trials: 5},
	} {
		t.Run(about, func(t *testing.T) {
			if c.yaml != "" {
				if c.with == nil {
					c.with = map[string]string{}
				}
				c.with[ManifestName] = c.yaml
			}
			s, err := Open(bidsCopy(t, c.without, c.with), "")
			if err != nil {
				t.Fatal(err)
			}
			sum, err := Inspect(t.Context(), s, nil)
			if err != nil {
				t.Fatal(err)
			}
			trials := 0
			for _, x := range sum.Subjects {
				trials += x.Trials
			}
			if trials != c.trials || len(sum.Bad) > 0 {
				t.Errorf("%d trials, want %d; bad %v", trials, c.trials, sum.Bad)
			}
			if !slices.ContainsFunc(sum.Notes, func(n note.Note) bool { return n.Kind == c.kind && strings.Contains(n.What, c.says) }) {
				t.Errorf("no note %q says %q:\n%s", c.kind, c.says, strings.Join(sum.Notes.Sentences(), "\n"))
			}
		})
	}
}

// TestBIDSThatCannotBeRead has data sets that must be refused, with words of the error.
func TestBIDSThatCannotBeRead(t *testing.T) {
	for about, c := range map[string]struct {
		yaml    string
		without []string
		with    map[string]string
		says    string
	}{
		"no such column":     {yaml: "format: bids\ntask: emo\nlabel: {column: emotion, classes: {a: a, b: b}}\n", says: "it has no column emotion, which label.column asks for: there are onset, duration, trial_type, value, sample"},
		"values of no class": {yaml: "format: bids\ntask: emo\nlabel: {column: trial_type, classes: {a: a, b: b}}\n", says: `none of the recordings has an event whose trial_type is among label.classes (a, b): sub-01/eeg/sub-01_task-emo_run-1_eeg.vhdr, for one, has "fixation", "happy", "sad"`},
		"a column of none":   {yaml: "format: bids\nlabel: {column: subject}\n", says: "no events.tsv has a column subject, which label.column asks for: there are onset, duration, trial_type, value, sample"},
		"too many values":    {yaml: "format: bids\nlabel: {column: duration}\n", with: map[string]string{first + "events.tsv": manyEvents()}, says: "has 62 different values"},
		"no such task":       {yaml: "format: bids\ntask: sleep\n", says: "none of the recordings is of the task sleep"},
		"no duration": {yaml: "format: bids\ntask: emo\nlabel: {column: trial_type, classes: {happy: a, sad: b}}\n", with: map[string]string{first + "events.tsv": "onset\tduration\ttrial_type\n1\tn/a\thappy\n2\t0\tsad\n"},
			says: `event "happy" at 1 s has no duration: say how long its recording is by label.seconds`},
		"not parted by tabs":  {yaml: "format: bids\ntask: emo\nlabel: {column: trial_type, classes: {happy: a, sad: b}}\n", with: map[string]string{first + "events.tsv": "onset,duration,trial_type\n1,1,happy\n"}, says: "its columns are not parted by tabs"},
		"no participant":      {yaml: "format: bids\nlabel: {participant: sex}\n", with: map[string]string{"participants.tsv": "id\nsub-01\n"}, says: "participants.tsv: it has no column participant_id"},
		"two tables apply":    {without: []string{"_events.tsv"}, yaml: "format: bids\ntask: emo\nlabel: {column: trial_type, classes: {happy: a, sad: b}}\n", with: map[string]string{"task-emo_events.tsv": "onset\tduration\ttrial_type\n1\t1\thappy\n", "run-1_events.tsv": "onset\tduration\ttrial_type\n1\t1\thappy\n"}, says: "both apply to it"},
		"task without bids":   {yaml: "format: edf\nfiles: '(?<subject>.*)'\ntask: emo\n", says: "task chooses recordings of format bids"},
		"column without bids": {yaml: "format: edf\nfiles: '(?<subject>.*)'\nlabel: {column: trial_type}\n", says: "columns and participants of bids"},
	} {
		t.Run(about, func(t *testing.T) {
			if c.yaml != "" {
				if c.with == nil {
					c.with = map[string]string{}
				}
				c.with[ManifestName] = c.yaml
			}
			s, err := Open(bidsCopy(t, c.without, c.with), "")
			if err == nil {
				for _, e := range s.recordings(t.Context(), 1, nil) {
					if e != nil {
						err = e
						break
					}
				}
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %q", err, c.says)
			}
		})
	}
}

// manyEvents are events of sixty different durations.
func manyEvents() string {
	text := "onset\tduration\ttrial_type\n"
	for i := range 60 {
		text += fmt.Sprintf("1\t%g\thappy\n", float64(i)/100)
	}
	return text
}

func TestBIDSStart(t *testing.T) {
	s, err := Open("testdata/bids/set", "")
	if err != nil {
		t.Fatal(err)
	}
	start, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseManifest([]byte(start), "start")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(LabelRule{Column: "trial_type", Classes: Classes{{"fixation", "fixation"}, {"happy", "happy"}, {"sad", "sad"}}}, m.Label); d != "" {
		t.Error(d)
	}
}

// Ratings and films in events.tsv: a threshold makes the classes, a column names the stimulus.
func TestBIDSRatingsAndStimuli(t *testing.T) {
	table := "onset\tduration\tvalence\tstim_file\tmovie\n0.5\t1.0\t5\tjoy.mp4\tA\n2.25\t1.5\t2\tsad.mp4\tB\n3.9\t0.1\t7.5\tjoy.mp4\tC\n"
	dir := bidsCopy(t, []string{"ses-", "run-2", "sub-03"}, map[string]string{"sub-01/eeg/sub-01_task-emo_run-1_events.tsv": table})
	for _, c := range []struct {
		label    string
		want     []string
		stimulus string
	}{
		{"column: valence, threshold: 5", []string{"valence >= 5", "valence < 5", "valence >= 5"}, "joy.mp4"},
		{"column: valence, threshold: 5, tie: '>'", []string{"valence <= 5", "valence <= 5", "valence > 5"}, "joy.mp4"},
		{"column: valence, threshold: 5, tie: drop, stimulus: movie", []string{"valence < 5", "valence > 5"}, "B"},
	} {
		if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte("format: bids\ntask: emo\nlabel: {"+c.label+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, "")
		if err != nil {
			t.Fatal(c.label, err)
		}
		var got []string
		first := ""
		err = s.Each(t.Context(), Walk{Notes: &note.List{}}, func(r *Recording) error {
			if first == "" {
				first = r.Stimulus
			}
			got = append(got, s.Classes[int(r.Labels["label"])])
			return nil
		})
		if err != nil {
			t.Fatal(c.label, err)
		}
		if d := cmp.Diff(c.want, got); d != "" || first != c.stimulus {
			t.Errorf("%s: the first stimulus is %q; (-want +got):\n%s", c.label, first, d)
		}
	}
	for label, want := range map[string]string{
		"column: valence, tie: drop":                            "label.threshold",
		"group: task, threshold: 5, classes: {emo: a, rest: b}": "label.column",
		"column: valence, threshold: 5, tie: '='":               "tie",
		"column: valence, threshold: 5, stimulus: film":         "no column film",
	} {
		if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte("format: bids\ntask: emo\nlabel: {"+label+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, "")
		if err == nil {
			err = s.Each(t.Context(), Walk{Notes: &note.List{}}, func(*Recording) error { return nil })
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", label, err)
		}
	}
}
