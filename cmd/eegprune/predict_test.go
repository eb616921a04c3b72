package main_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/result"
)

// writeArrays writes an .npz file, or of one array an .npy file.
func writeArrays(t *testing.T, path string, arrays ...npy.Named) {
	t.Helper()
	var b bytes.Buffer
	if err := npy.WriteArchive(&b, arrays); err != nil {
		t.Fatal(err)
	}
	content := b.Bytes()
	if filepath.Ext(path) == ".npy" {
		z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		f, err := z.File[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		if content, err = io.ReadAll(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// readArray reads an array of an .npz file of numbers.
func readArray(t *testing.T, path, name string) (*ndarray.Array, []float64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := npy.OpenArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	a, err := z.Array(name)
	if err != nil {
		t.Fatal(err)
	}
	width := a.Shape[len(a.Shape)-1]
	if len(a.Shape) == 1 {
		v := make([]float64, width)
		if err := a.Line(v); err != nil {
			t.Fatal(err)
		}
		return a, v
	}
	var v []float64
	for row := range a.Shape[0] {
		line := make([]float64, width)
		if err := a.Line(line, row); err != nil {
			t.Fatal(err)
		}
		v = append(v, line...)
	}
	return a, v
}

// pytorch holds PyTorch's logits of clips, with the weights of a file that Python's
// safetensors package wrote.
type pytorch struct {
	Shape  []int       `json:"input_shape"`
	Key    uint64      `json:"input_key"`
	Logits [][]float64 `json:"logits_eval"`
}

func tsception(t *testing.T) (checkpoint string, p pytorch) {
	t.Helper()
	reftest.ReadJSON(t, "../../models/testdata/model_tsception.json", &p)
	checkpoint, err := filepath.Abs("../../torch/testdata/tsception.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	return checkpoint, p
}

func (p pytorch) clips() []float32 {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return reftest.Ramp(n, p.Key, 2)
}

// npyOf are the clips as an array.
func npyOf(p pytorch) npy.Named { return npy.Named{Name: "x", Shape: p.Shape, Values: p.clips()} }

// near compares numbers as the logits of the networks are compared.
func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	scale := 0.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-5*scale) {
			t.Errorf("%s: number %d is %.9g, want %.9g", what, i, got[i], want[i])
			return
		}
	}
}

func TestPredictMeetsPyTorch(t *testing.T) {
	checkpoint, p := tsception(t)
	dir := t.TempDir()
	single := p.clips()
	double := make([]float64, len(single))
	for i, v := range single {
		double[i] = float64(v)
	}
	writeArrays(t, filepath.Join(dir, "x.npz"), npy.Named{Name: "y", Values: []int64{1}}, npy.Named{Name: "x", Shape: p.Shape, Values: double})
	writeArrays(t, filepath.Join(dir, "x.npy"), npy.Named{Name: "x", Shape: p.Shape, Values: single})
	var logits, probability []float64
	var class []string
	for _, row := range p.Logits {
		sum := 0.0
		for _, l := range row {
			sum += math.Exp(l)
		}
		for _, l := range row {
			probability = append(probability, math.Exp(l)/sum)
		}
		logits = append(logits, row...)
		class = append(class, strconv.Itoa(slices.Index(row, slices.Max(row))))
	}

	for _, features := range []string{"x.npz", "x.npy"} {
		r := must(t, dir, "predict", checkpoint, "--features", features, "--out", "y.npz")
		if !strings.Contains(r.stdout, "y.npz: 8 clips") || !strings.Contains(r.stderr, "taken for the network tsception") {
			t.Errorf("it says %s and %s", r.stdout, r.stderr)
		}
		a, got := readArray(t, filepath.Join(dir, "y.npz"), "logits")
		if !slices.Equal(a.Shape, []int{8, 2}) || a.Type != "f4" {
			t.Errorf("logits have shape %v and type %s", a.Shape, a.Type)
		}
		near(t, "logits of "+features, got, logits)
		_, got = readArray(t, filepath.Join(dir, "y.npz"), "probability")
		near(t, "probabilities of "+features, got, probability)
		_, got = readArray(t, filepath.Join(dir, "y.npz"), "class")
		if fmt.Sprint(got) != fmt.Sprint(class) {
			t.Errorf("classes %v, want %v", got, class)
		}
	}

	for _, out := range [][]string{nil, {"--out", "-"}, {"--out", "y.csv"}} {
		r := must(t, dir, append([]string{"predict", checkpoint, "--quiet", "--features", "x.npy", "--model", "tsception"}, out...)...)
		if r.stderr != "" {
			t.Errorf("it says %s", r.stderr)
		}
		text := r.stdout
		if slices.Contains(out, "y.csv") {
			b, err := os.ReadFile(filepath.Join(dir, "y.csv"))
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(rows) != 9 || fmt.Sprint(rows[0]) != "[clip class p(0) p(1)]" {
			t.Fatalf("%v (%v)", rows, err)
		}
		var got []float64
		for i, row := range rows[1:] {
			if row[0] != strconv.Itoa(i) || row[1] != class[i] {
				t.Errorf("row %v, want class %s", row, class[i])
			}
			for _, cell := range row[2:] {
				v, err := strconv.ParseFloat(cell, 64)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, v)
			}
		}
		near(t, "probabilities in CSV", got, probability)
	}

	var rows []struct {
		Clip        int
		Class       string
		Probability []float64
		Logits      []float64
	}
	if err := json.Unmarshal([]byte(must(t, dir, "predict", checkpoint, "--json", "--features", "x.npy").stdout), &rows); err != nil {
		t.Fatal(err)
	}
	var inJSON []float64
	for i, row := range rows {
		if row.Clip != i || row.Class != class[i] {
			t.Errorf("row %+v, want class %s", row, class[i])
		}
		inJSON = append(inJSON, row.Logits...)
	}
	near(t, "logits in JSON", inJSON, logits)
}

// TestPredictAgreesWithEvaluate on a network that was trained here, whose classes have
// names, over more clips than a batch.
func TestPredictAgreesWithEvaluate(t *testing.T) {
	dir := t.TempDir()
	must(t, dir, "data", "simulate", "--out", "recordings", "--subjects", "4", "--trials", "4", "--seconds", "20")
	must(t, dir, quick("train", "--out", "study", "--fold", "1")...)
	const checkpoint = "study/checkpoints/fbccnn-fold01-unpruned.safetensors"
	must(t, dir, "data", "features", "recordings", "--out", "clips.npz")
	must(t, dir, "predict", checkpoint, "--features", "clips.npz", "--out", "y.npz")
	_, truth := readArray(t, filepath.Join(dir, "clips.npz"), "y")
	_, named := readArray(t, filepath.Join(dir, "y.npz"), "class")
	if len(named) != len(truth) || len(truth) <= 256 {
		t.Fatalf("%d predictions for %d clips", len(named), len(truth))
	}
	hits := 0.0
	for i := range truth {
		if truth[i] == named[i] {
			hits++
		}
	}
	var said struct{ Test result.Score }
	if err := json.Unmarshal([]byte(must(t, dir, "evaluate", checkpoint, "--json", "--all").stdout), &said); err != nil {
		t.Fatal(err)
	}
	if accuracy := hits / float64(len(truth)); accuracy != said.Test.Accuracy {
		t.Errorf("accuracy %g, evaluate says %g", accuracy, said.Test.Accuracy)
	}
	r := must(t, dir, "predict", checkpoint, "--features", "clips.npz")
	if first, _, _ := strings.Cut(r.stdout, "\n"); first != "clip,class,p(negative),p(positive)" || r.stderr != "" {
		t.Errorf("the first row is %q; it says %s", first, r.stderr)
	}

	// The same features, made by predict of the recordings.
	_, want := readArray(t, filepath.Join(dir, "y.npz"), "logits")
	r = must(t, dir, "predict", checkpoint, "recordings", "--out", "r.npz")
	_, got := readArray(t, filepath.Join(dir, "r.npz"), "logits")
	if !slices.Equal(got, want) {
		t.Error("recordings give other logits than their features")
	}
	// One file of them, under a name that says nothing and without its neighbours.
	single := files(t, filepath.Join(dir, "recordings"))
	single = slices.DeleteFunc(single, func(name string) bool { return filepath.Ext(name) != ".edf" })
	b, err := os.ReadFile(filepath.Join(dir, "recordings", single[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "alone.edf"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		File, Class string
		Start       float64
		Logits      []float64
	}
	if err := json.Unmarshal([]byte(must(t, dir, "predict", checkpoint, "alone.edf", "--json").stdout), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) < 3 || rows[0].File != "alone.edf" || rows[0].Start != 0 || rows[2].Start != 2 || len(rows[0].Logits) != 2 {
		t.Errorf("rows %+v", rows[:min(len(rows), 3)])
	}
	r = must(t, dir, "predict", checkpoint, "--data", "alone.edf")
	if first, _, _ := strings.Cut(r.stdout, "\n"); first != "clip,file,trial,start,class,p(negative),p(positive)" {
		t.Errorf("the first row is %q", first)
	}
}

// TestPredictStream gives clips in pieces, and expects each line before the next clip.
func TestPredictStream(t *testing.T) {
	checkpoint, p := tsception(t)
	dir := t.TempDir()
	clips := p.clips()
	writeArrays(t, filepath.Join(dir, "x.npy"), npyOf(p))
	want := must(t, dir, "predict", checkpoint, "--features", "x.npy").stdout
	raw := make([]byte, 0, 4*len(clips))
	for _, v := range clips {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	size := len(raw) / p.Shape[0]
	c := command(dir, "predict", checkpoint, "--quiet", "-")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	// A line that does not come would be waited for.
	defer time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() }).Stop()
	lines := bufio.NewScanner(out)
	var got []string
	line := func() {
		if !lines.Scan() {
			t.Fatalf("the program ended after %d lines", len(got))
		}
		got = append(got, lines.Text())
	}
	line()
	for clip := range p.Shape[0] {
		for _, part := range [][]byte{raw[clip*size : clip*size+100], raw[clip*size+100 : (clip+1)*size]} {
			if _, err := in.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		line()
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	compareRows(t, strings.Join(got, "\n"), want)

	array, err := os.ReadFile(filepath.Join(dir, "x.npy"))
	if err != nil {
		t.Fatal(err)
	}
	spoilt := bytes.Clone(raw[:3*size])
	binary.LittleEndian.PutUint32(spoilt[2*size+8:], math.Float32bits(float32(math.NaN())))
	other := bytes.Replace(array, []byte("28, 512"), []byte("14, 512"), 1)
	for name, c := range map[string]struct {
		in    []byte
		code  int
		lines int
		words []string
	}{
		"arrays":       {append(bytes.Clone(array), array...), 0, 16, nil},
		"cut":          {raw[:len(raw)-9], 1, 7, []string{"after 7 clips", "ends", "into a clip of"}},
		"cut array":    {array[:len(array)-9], 1, 7, []string{"after 7 clips", "into a clip of"}},
		"not a number": {spoilt, 1, 2, []string{"after 2 clips", "NaN"}},
		"other":        {other, 1, 0, []string{"[8 1 14 512]", "[1 28 512]"}},
		"nothing":      {nil, 1, 0, []string{"no clips on standard input", "[1 28 512]"}},
	} {
		cmd := command(dir, "predict", checkpoint, "--quiet", "--features", "-", "--json")
		cmd.Stdin = bytes.NewReader(c.in)
		r := finish(t, cmd)
		if n := strings.Count(r.stdout, "\n"); r.code != c.code || n != c.lines {
			t.Errorf("%s: exit code %d and %d lines, want %d and %d; it says %s", name, r.code, n, c.code, c.lines, r.stderr)
		}
		if c.code != 0 {
			oneSentence(t, r, c.words...)
		}
	}
}

// compareRows compares CSV rows of predictions: batches of other sizes may differ in the
// last bits.
func compareRows(t *testing.T, got, want string) {
	t.Helper()
	g, err1 := csv.NewReader(strings.NewReader(got)).ReadAll()
	w, err2 := csv.NewReader(strings.NewReader(want)).ReadAll()
	if err1 != nil || err2 != nil || len(g) != len(w) {
		t.Fatalf("%d rows (%v), want %d (%v)", len(g), err1, len(w), err2)
	}
	for i := range w[1:] {
		var gp, wp []float64
		for k := range w[i+1][2:] {
			a, err1 := strconv.ParseFloat(g[i+1][k+2], 64)
			b, err2 := strconv.ParseFloat(w[i+1][k+2], 64)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			gp, wp = append(gp, a), append(wp, b)
		}
		if !slices.Equal(g[i+1][:2], w[i+1][:2]) {
			t.Errorf("row %v, want %v", g[i+1], w[i+1])
		}
		near(t, "probabilities of row "+g[i+1][0], gp, wp)
	}
}

func TestPredictBadInput(t *testing.T) {
	checkpoint, p := tsception(t)
	dir := t.TempDir()
	clips := p.clips()
	file := func(name string, arrays ...npy.Named) { writeArrays(t, filepath.Join(dir, name), arrays...) }
	file("x.npy", npy.Named{Shape: p.Shape, Values: clips})
	file("few.npy", npy.Named{Shape: []int{8, 1, 14, 1024}, Values: clips})
	file("flat.npy", npy.Named{Shape: []int{8, 28 * 512}, Values: clips})
	file("empty.npy", npy.Named{Shape: []int{0, 1, 28, 512}, Values: []float32{}})
	file("none.npz", npy.Named{Name: "features", Shape: p.Shape, Values: clips})
	spoilt := slices.Clone(clips)
	spoilt[3*28*512+5*512+7] = float32(math.NaN())
	file("nan.npy", npy.Named{Shape: p.Shape, Values: spoilt})
	large := make([]float64, len(clips))
	large[6*28*512] = 1e300
	file("large.npy", npy.Named{Shape: p.Shape, Values: large})
	b, err := os.ReadFile(filepath.Join(dir, "x.npy"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cut.npy"), b[:len(b)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  []string
		code  int
		words []string
	}{
		{[]string{checkpoint}, 2, []string{"features"}},
		{[]string{checkpoint, "x.npy", "--features", "x.npy"}, 2, []string{"twice"}},
		{[]string{checkpoint, "nowhere.edf"}, 1, []string{"nowhere.edf"}},
		{[]string{checkpoint, "-", "--out", "y.csv"}, 2, []string{"--out", "y.csv", "redirect"}},
		{[]string{checkpoint, "--features", "x.mat"}, 2, []string{"--features", "x.mat", ".npz"}},
		{[]string{checkpoint, "--features", "x.npy", "--out", "y.xlsx"}, 2, []string{"--out", "y.xlsx", ".csv"}},
		{[]string{checkpoint, "--features", "x.npy", "--model", "resnet"}, 2, []string{"--model", "resnet", "eegnet"}},
		{[]string{checkpoint, "--features", "x.npy", "--device", "tpu"}, 2, []string{"--device"}},
		{[]string{checkpoint, "--features", "nowhere.npy"}, 1, []string{"nowhere.npy"}},
		{[]string{checkpoint, "--features", "cut.npy"}, 1, []string{"cut.npy", "damaged"}},
		{[]string{checkpoint, "--features", "none.npz"}, 1, []string{"none.npz", `no array "x"`, "features"}},
		{[]string{checkpoint, "--features", "few.npy"}, 1, []string{"few.npy", "[8 1 14 1024]", "[1 28 1024]"}},
		{[]string{checkpoint, "--features", "flat.npy"}, 1, []string{"flat.npy", "[8 14336]"}},
		{[]string{checkpoint, "--features", "empty.npy"}, 1, []string{"empty.npy", "no clips"}},
		{[]string{checkpoint, "--features", "nan.npy"}, 1, []string{"nan.npy", "clip 3", "NaN", "[0 5 7]"}},
		{[]string{checkpoint, "--features", "large.npy"}, 1, []string{"large.npy", "clip 6", "1e+300"}},
		{[]string{checkpoint, "--features", "x.npy", "--model", "fbccnn"}, 1, []string{"tsception.safetensors", "not those of fbccnn", "BN_s.bias is not part"}},
		{[]string{"nowhere.safetensors", "--features", "x.npy"}, 1, []string{"nowhere.safetensors"}},
		{[]string{"x.npy", "--features", "x.npy"}, 1, []string{"x.npy", "NumPy array", "safetensors"}},
	} {
		r := eegprune(t, dir, append([]string{"predict", "--quiet"}, c.args...)...)
		if r.code != c.code || r.stdout != "" {
			t.Errorf("predict %s: exit code %d, want %d; output %s", strings.Join(c.args, " "), r.code, c.code, r.stdout)
		}
		oneSentence(t, r, c.words...)
	}
}
