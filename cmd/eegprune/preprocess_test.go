package main_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/npy"
)

// TestPreprocessing: flags, a file of features and recordings that were converted before give
// the same features, in the order in which steps are given.
func TestPreprocessing(t *testing.T) {
	dir := simulated(t, "deap")
	flags := []string{"--notch", "50", "--bandpass", "1-45", "--resample", "100", "--drop-channels", "T7", "--interpolate", "Fz,Oz", "--reference", "average", "--last-seconds", "2"}
	write(t, filepath.Join(dir, "f.yaml"), []byte(`preprocess:
  - {name: Notch, args: {frequencies: [50]}}
  - {name: band_pass, args: {low: 1, high: 45}}
  - {name: Resample, args: {rate: 100}}
  - {name: DropChannels, args: {channels: T7}}
  - {name: InterpolateBads, args: {channels: [Fz], subjects: {"01": Oz, "02": [Oz]}}}
  - {name: Reference, args: {against: average}}
  - {name: LastSeconds, args: {seconds: 2}}
`))
	byFlags := featuresOf(t, dir, append([]string{"recordings", "--remove-baseline"}, flags...)...)
	byFile := featuresOf(t, dir, "recordings", "--remove-baseline", "--features", "f.yaml")
	if d := cmp.Diff(byFlags, byFile); d != "" {
		t.Errorf("features differ (-flags +file):\n%s", d)
	}
	if n := byFlags.End[0] - byFlags.Start[0]; n != 100 || byFlags.Start[0] != 400 {
		t.Errorf("the first clip is from %d to %d, want 100 samples from 400 on: after 3 s of baseline and the first second", byFlags.Start[0], byFlags.End[0])
	}
	must(t, dir, append([]string{"data", "convert", "recordings", "--out", "converted"}, flags[:len(flags)-2]...)...)
	if d := cmp.Diff(byFlags.X, featuresOf(t, dir, "converted", "--remove-baseline", "--last-seconds", "2").X); d != "" {
		t.Errorf("features of converted recordings differ:\n%s", d)
	}
	other := append([]string{"recordings", "--remove-baseline", "--reference", "average"}, flags[:10]...) // before Fz and Oz are mended
	if slices.Equal(byFlags.X, featuresOf(t, dir, append(other, "--last-seconds", "2")...).X) {
		t.Error("the order of steps makes no difference")
	}
}

// TestPreprocessingIsRemembered: by the cache, the results, the report and the checkpoint, by
// which predict repeats it on recordings of another rate and with another channel.
func TestPreprocessingIsRemembered(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	must(t, dir, "data", "simulate", "--out", "all", "--subjects", "4", "--trials", "2", "--seconds", "6", "--rate", "200")
	must(t, dir, "data", "convert", "all", "--drop-channels", "T7", "--out", "recordings")
	steps := []string{"--notch", "40", "--resample", "100", "--reference", "average", "--reject", "500"}
	r := must(t, dir, append(quick("run", "--model", "eegnet", "--clip", "1", "--method", "lfp", "--ratio", "0.5", "--recover", "fine-tune", "--out", "study"), steps...)...)
	const said = "notch at 40 Hz (quality 30, zero phase); resampled to 100 Hz (polyphase, Kaiser window); referenced to average; clips above 500 uV peak to peak rejected"
	if !strings.Contains(r.stdout, "at 100 Hz") {
		t.Errorf("the study does not say its rate: %s", r.stdout)
	}
	if text := textOf(t, filepath.Join(dir, "study", "result.txt")); !strings.Contains(strings.Join(strings.Fields(text), " "), said) || !strings.Contains(text, "clips is rejected") {
		t.Errorf("result.txt says nothing of the preprocessing:\n%s", text)
	}
	if text := textOf(t, filepath.Join(dir, "study", "result.json")); !strings.Contains(text, `"Notch"`) || !strings.Contains(text, said) {
		t.Error("result.json says nothing of the preprocessing")
	}
	must(t, dir, "report", "study", "--out", "report.html")
	if text := textOf(t, filepath.Join(dir, "report.html")); !strings.Contains(text, "referenced to average") {
		t.Error("the report says nothing of the preprocessing")
	}
	found, err := filepath.Glob(filepath.Join(dir, "study", "checkpoints", "*.safetensors"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no checkpoints: %v", err)
	}
	want := must(t, dir, "predict", found[0], "recordings", "--quiet").stdout
	if got := must(t, dir, "predict", found[0], "all", "--quiet").stdout; probabilities(got) != probabilities(want) || strings.Count(got, "\n") != 49 {
		t.Errorf("recordings with one more channel are classified otherwise:\n%s\nwant\n%s", got, want)
	}
	must(t, dir, "data", "convert", "recordings", "--resample", "100", "--out", "slow")
	slow := must(t, dir, "predict", found[0], "slow", "--quiet").stdout
	if strings.Count(slow, "\n") != strings.Count(want, "\n") {
		t.Errorf("recordings of another rate are not classified:\n%s", slow)
	}

	var before, after struct{ Cached bool }
	for _, c := range []struct {
		more []string
		to   *struct{ Cached bool }
	}{{[]string{"--notch", "50"}, &before}, {[]string{"--notch", "50"}, &after}, {[]string{"--notch", "60"}, &before}} {
		if err := json.Unmarshal([]byte(must(t, dir, append([]string{"data", "features", "recordings", "--json"}, c.more...)...).stdout), c.to); err != nil {
			t.Fatal(err)
		}
	}
	if before.Cached || !after.Cached {
		t.Errorf("found in the cache: other steps %t, the same steps %t", before.Cached, after.Cached)
	}
}

// probabilities are the columns of predictions after those that say where a clip is from.
func probabilities(text string) string {
	var rows []string
	for line := range strings.Lines(text) {
		cells := strings.Split(line, ",")
		rows = append(rows, strings.Join(cells[4:], ","))
	}
	return strings.Join(rows, "")
}

// TestStudyFilePreprocesses all networks, and one otherwise.
func TestStudyFilePreprocesses(t *testing.T) {
	dir := studyOf(t, strings.NewReplacer("networks:", "data: {preprocess: [{name: Resample, args: {rate: 64}}]}\nnetworks:",
		"- model: tsception\n    features: {seconds: 1}", "- model: tsception\n    features: {seconds: 1, preprocess: [{name: Notch, args: {frequencies: 50}}]}").Replace(small))
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	must(t, dir, runStudy("results")...)
	text := textOf(t, filepath.Join(dir, "results", "result.txt"))
	for _, word := range []string{"resampled to 64 Hz", "notch at 50 Hz", "at 64 Hz", "at 128 Hz"} {
		if !strings.Contains(text, word) {
			t.Errorf("the result does not say %q:\n%s", word, text)
		}
	}
}

// TestRejectedClipsAreSaid, of whom and how many.
func TestRejectedClipsAreSaid(t *testing.T) {
	dir := simulated(t, "edf")
	text := must(t, dir, "data", "features", "recordings", "--reject", "70").stdout
	if !strings.Contains(text, "of 36 clips are rejected, as a channel has more than 70 uV peak to peak: s01 ") || !strings.Contains(text, "of 18") || !strings.Contains(text, "; the largest was ") {
		t.Errorf("it does not say which clips are rejected:\n%s", text)
	}
	if text = must(t, dir, "data", "features", "recordings", "--reject", "7000", "--strict").stdout; !strings.Contains(text, "None of 36 clips is rejected") {
		t.Errorf("it does not say that none is rejected:\n%s", text)
	}
}

func TestPreprocessingRefuses(t *testing.T) {
	dir := simulated(t, "edf")
	write(t, filepath.Join(dir, "f.yaml"), []byte("preprocess: [{name: Resample, args: {rate: 64}}]\n"))
	write(t, filepath.Join(dir, "nobody.yaml"), []byte("preprocess: [{name: InterpolateBads, args: {subjects: {s7: [Oz]}}}]\n"))
	write(t, filepath.Join(dir, "typo.yaml"), []byte("preprocess:\n  - {name: Resmple, args: {rate: 64}}\n"))
	for _, c := range []struct {
		args  []string
		code  int
		words []string
	}{
		{[]string{"--bandpass", "1-64"}, 1, []string{"s01.edf", "BandPass", "below 64 Hz"}},
		{[]string{"--bandpass", "1"}, 2, []string{"--bandpass", "1-45"}},
		{[]string{"--notch", "fifty"}, 2, []string{"--notch", "number"}},
		{[]string{"--resample", "0"}, 1, []string{"Resample", "positive"}},
		{[]string{"--reference", "mastoids"}, 1, []string{"no channel M1", "TP9"}},
		{[]string{"--interpolate", "Xx9"}, 1, []string{"no channel Xx9"}},
		{[]string{"--last-seconds", "4"}, 1, []string{"s01.edf", "trial", "lasts 3 s", "last 4 s"}},
		{[]string{"--reject", "0.1"}, 1, []string{"all 36 clips", "calmest"}},
		{[]string{"--reject", "100", "--resample", "100"}, 1, []string{"put RejectClips last"}},
		{[]string{"--features", "f.yaml", "--notch", "50"}, 2, []string{"--features", "one place"}},
		{[]string{"--features", "nobody.yaml"}, 1, []string{"bad channels of subject s7", "nearest is s01"}},
		{[]string{"--features", "typo.yaml"}, 1, []string{"typo.yaml:2:12", "did you mean Resample?"}},
	} {
		r := eegprune(t, dir, append([]string{"data", "features", "recordings"}, c.args...)...)
		if r.code != c.code {
			t.Errorf("%v: exit code %d, want %d", c.args, r.code, c.code)
		}
		oneSentence(t, r, c.words...)
	}
	r := eegprune(t, dir, "data", "convert", "recordings", "--out", "none", "--last-seconds", "4")
	oneSentence(t, r, "lasts 3 s")
	if left, err := filepath.Glob(filepath.Join(dir, "*none*")); r.code != 1 || err != nil || len(left) > 0 {
		t.Errorf("exit code %d, left behind %v", r.code, left)
	}
}

func textOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReferenceReadsMastoids, which are no EEG and are left out but where a step names them.
func TestReferenceReadsMastoids(t *testing.T) {
	dir := t.TempDir()
	channels := []string{"F3", "C3", "M1", "C4", "EEG M2"}
	const n = 300
	var x []float64
	for c := range channels {
		for i := range n {
			x = append(x, 20*math.Sin(float64(i*(c+2))/7)+float64(c))
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "recordings"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeArrays(t, filepath.Join(dir, "recordings", "s01.npz"), npy.Named{Name: "x", Shape: []int{1, len(channels), n}, Values: x}, npy.Named{Name: "rate", Values: []float64{100}},
		npy.Named{Name: "channels", Values: channels}, npy.Named{Name: "y", Values: []int64{0}})
	for reference, names := range map[string]string{"": "F3 C3 C4", "mastoids": "F3 C3 C4", "M1,C4": "F3 C3"} {
		args := []string{"data", "convert", "recordings", "--out", "converted" + reference}
		if reference != "" {
			args = append(args, "--reference", reference)
		}
		must(t, dir, args...)
		found, err := filepath.Glob(filepath.Join(dir, "converted"+reference, "*.npz"))
		if err != nil || len(found) != 1 {
			t.Fatalf("files %v, %v", found, err)
		}
		a, got := readArray(t, found[0], "x")
		if want := strings.Fields(names); !slices.Equal(a.Shape, []int{len(want), n}) {
			t.Errorf("%q: shape %v, want channels %s", reference, a.Shape, names)
		}
		mean := 0.0
		switch reference {
		case "mastoids":
			mean = (x[2*n+50] + x[4*n+50]) / 2
		case "M1,C4":
			mean = (x[2*n+50] + x[3*n+50]) / 2
		}
		if want := x[n+50] - mean; math.Abs(got[n+50]-want) > 1e-12 {
			t.Errorf("%q: C3 has %g, want %g", reference, got[n+50], want)
		}
	}
}

// TestInterpolatesWhatIsMarked in a BIDS set, which here has too few other channels.
func TestInterpolatesWhatIsMarked(t *testing.T) {
	r := eegprune(t, "../../data/source/testdata/bids", "data", "convert", "set", "--out", filepath.Join(t.TempDir(), "out"), "--interpolate", "marked")
	if r.code != 1 {
		t.Errorf("exit code %d, want 1", r.code)
	}
	oneSentence(t, r, "InterpolateBads: 1 of 3 channels are bad, and 2 good ones")
}

// TestDeadStretchesAreFoundBehindFilters, which make something of a channel that stood still.
func TestDeadStretchesAreFoundBehindFilters(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	const n, trials = 600, 2
	var x []float64
	for trial := range trials {
		for c := range 3 {
			for i := range n {
				v := 20 * math.Sin(float64(i*(c+2+trial))/7)
				if c == 1 && trial == 0 && i >= 200 && i < 400 {
					v = 5
				}
				x = append(x, v)
			}
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "recordings"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeArrays(t, filepath.Join(dir, "recordings", "s01.npz"), npy.Named{Name: "x", Shape: []int{trials, 3, n}, Values: x}, npy.Named{Name: "rate", Values: []float64{100}},
		npy.Named{Name: "channels", Values: []string{"F3", "C3", "C4"}}, npy.Named{Name: "y", Values: []int64{0, 1}})
	for steps, want := range map[string]string{
		"":                                     "2 clip(s) are left out, as a channel stands still",
		"--bandpass 1-40":                      "2 clip(s) are left out, as a channel stands still",
		"--resample 80 --last-seconds 5":       "2 clip(s) are left out, as a channel stands still",
		"--reference average --last-seconds 3": "1 clip(s) are left out, as a channel stands still",
		"--bandpass 1-40 --drop-channels C3":   "12 clips",
		"--bipolar F3-C4":                      "12 clips",
	} {
		args := append([]string{"data", "features", "recordings", "--model", "eegnet", "--clip", "1"}, strings.Fields(steps)...)
		if text := must(t, dir, args...).stdout; !strings.Contains(text, want) || strings.Contains(text, "stands still") != strings.Contains(want, "still") {
			t.Errorf("%q: it does not say %q:\n%s", steps, want, text)
		}
	}
}
