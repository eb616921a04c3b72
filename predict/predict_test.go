package predict

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
)

func TestMain(m *testing.M) { os.Exit(reftest.Main(m)) }

// pytorch holds PyTorch's logits of clips with the weights of a file that Python's safetensors
// package wrote.
type pytorch struct {
	Shape  []int       `json:"input_shape"`
	Key    uint64      `json:"input_key"`
	Logits [][]float64 `json:"logits_eval"`
}

func tsception(t *testing.T) (*Predictor, pytorch, []float32) {
	t.Helper()
	var p pytorch
	reftest.ReadJSON(t, "../models/testdata/model_tsception.json", &p)
	c, err := experiment.OpenCheckpoint("../torch/testdata/tsception.safetensors", models.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	clips := 1
	for _, d := range p.Shape {
		clips *= d
	}
	return New(c), p, reftest.Ramp(clips, p.Key, 2)
}

// archive is an .npz file with one array.
func archive(t *testing.T, a npy.Named) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npy.WriteArchive(&b, []npy.Named{a}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func features(t *testing.T, shape []int, values any) *Features {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := os.WriteFile(path, archive(t, npy.Named{Name: "x", Shape: shape, Values: values}), 0o644); err != nil {
		t.Fatal(err)
	}
	x, err := OpenFeatures(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// near compares logits with PyTorch's.
func (p pytorch) near(t *testing.T, got []float32) {
	t.Helper()
	want := slices.Concat(p.Logits...)
	if len(got) != len(want) {
		t.Fatalf("%d logits, want %d", len(got), len(want))
	}
	scale := 0.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i := range want {
		if !(math.Abs(float64(got[i])-want[i]) <= 1e-5*scale) {
			t.Fatalf("logit %d is %.9g, PyTorch's %.9g", i, got[i], want[i])
		}
	}
}

func TestFeaturesMeetPyTorch(t *testing.T) {
	network, p, clips := tsception(t)
	made, err := network.Features(context.Background(), features(t, p.Shape, clips))
	if err != nil {
		t.Fatal(err)
	}
	p.near(t, made.Logits)
	counts := make([]int, made.Classes)
	for clip := range made.Clips() {
		row := p.Logits[clip]
		want := slices.Index(row, slices.Max(row))
		if counts[want]++; made.Class(clip) != want {
			t.Errorf("clip %d is of class %d, want %d", clip, made.Class(clip), want)
		}
		sum := 0.0
		for _, v := range made.Probability[clip*made.Classes : (clip+1)*made.Classes] {
			sum += float64(v)
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Errorf("the probabilities of clip %d add up to %g", clip, sum)
		}
	}
	if !slices.Equal(made.Counts(), counts) {
		t.Errorf("%v clips of the classes, want %v", made.Counts(), counts)
	}
	for name, x := range map[string]*Features{"[8 1 512 28]": features(t, []int{8, 512, 28}, clips), "no clips": features(t, []int{0, 1, 28, 512}, []float32{})} {
		if _, err := network.Features(context.Background(), x); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := network.Features(ctx, features(t, p.Shape, clips)); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v", err)
	}
}

func raw(clips []float32) []byte {
	var b []byte
	for _, v := range clips {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// collect classifies a stream and puts its predictions together.
func collect(network *Predictor, r io.Reader) (all Prediction, err error) {
	all.Classes = network.nothing().Classes
	err = network.Stream(context.Background(), "the stream", r, func(p *Prediction) error {
		if p.First != all.Clips() {
			return errors.New("clips are not counted on")
		}
		all.Logits = append(all.Logits, p.Logits...)
		return nil
	})
	return all, err
}

func TestStreamsMeetPyTorch(t *testing.T) {
	network, p, clips := tsception(t)
	whole := raw(clips)
	for name, r := range map[string]io.Reader{"at once": bytes.NewReader(whole), "in pieces": iotest.HalfReader(bytes.NewReader(whole))} {
		all, err := collect(network, r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p.near(t, all.Logits)
	}
	spoilt := slices.Clone(clips[:len(clips)/8])
	spoilt[7] = float32(math.NaN())
	for name, r := range map[string]struct {
		r    io.Reader
		want string
	}{
		"empty":   {bytes.NewReader(nil), "no clips on the stream"},
		"cut off": {bytes.NewReader(whole[:len(whole)-3]), "the stream, after 7 clips: it ends"},
		"broken":  {io.MultiReader(bytes.NewReader(whole[:len(whole)/8]), iotest.ErrReader(errors.New("unplugged"))), "the stream, after 1 clips: unplugged"},
		"NaN":     {bytes.NewReader(raw(slices.Concat(clips[:len(clips)/8], spoilt))), "the stream, after 1 clips: the next has the value NaN"},
	} {
		if _, err := collect(network, r.r); err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s: error %v, want %q", name, err, r.want)
		}
	}
}

// A stream that says nothing is left when ctx ends.
func TestStreamsEndWithTheContext(t *testing.T) {
	network, _, _ := tsception(t)
	silent, feed := io.Pipe()
	defer feed.Close()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := network.Stream(ctx, "a pipe", silent, func(*Prediction) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// made is a prediction of two clips in three classes.
func made() *Prediction {
	return &Prediction{First: 5, Classes: 3, Names: []string{"sad", "neutral, or so", "happy"}, Logits: []float32{0, 2, 1, 3, 3, -1}, Probability: []float32{0.125, 0.625, 0.25, 0.5, 0.5, 0},
		Origin: []Origin{{"s1.edf", 1, 0}, {"s1.edf", 2, 2.5}}}
}

func TestFormats(t *testing.T) {
	p := made()
	for format, want := range map[string]string{
		CSV: `clip,file,trial,start,class,p(sad),"p(neutral, or so)",p(happy)` + "\n" +
			`5,s1.edf,1,0,"neutral, or so",0.125,0.625,0.25` + "\n" + "6,s1.edf,2,2.5,sad,0.5,0.5,0\n",
		JSON: `[{"clip":5,"file":"s1.edf","trial":1,"start":0,"class":"neutral, or so","probability":[0.125,0.625,0.25],"logits":[0,2,1]},` +
			`{"clip":6,"file":"s1.edf","trial":2,"start":2.5,"class":"sad","probability":[0.5,0.5,0],"logits":[3,3,-1]}]` + "\n",
	} {
		var b bytes.Buffer
		if err := p.Write(&b, format); err != nil || b.String() != want {
			t.Errorf("%s: %v\n%s, want\n%s", format, err, b.String(), want)
		}
	}
	p.Names, p.Origin = nil, nil
	var nameless bytes.Buffer
	if err := p.Write(&nameless, CSV); err != nil || !strings.HasPrefix(nameless.String(), "clip,class,p(0),p(1),p(2)\n5,1,") {
		t.Errorf("without names: %v\n%s", err, nameless.String())
	}
	path := filepath.Join(t.TempDir(), "y.npz")
	if err := made().WriteFile(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := npy.OpenArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]int{"logits": {2, 3}, "probability": {2, 3}, "class": {2}, "trial": {2}, "start": {2}} {
		if a, err := z.Array(name); err != nil || !slices.Equal(a.Shape, want) {
			t.Errorf("%s: %v, want shape %v", name, err, want)
		}
	}
	for name, want := range map[string][]string{"classes": made().Names, "file": {"s1.edf", "s1.edf"}} {
		if a, err := z.Text(name); err != nil || !slices.Equal(a, want) {
			t.Errorf("%s: %v %q, want %q", name, err, a, want)
		}
	}
	for _, name := range []string{"y.xlsx", "y", ""} {
		if err := made().WriteFile(name); !errors.Is(err, ErrName) {
			t.Errorf("%q: error %v", name, err)
		}
	}
	if _, err := OpenFeatures("x.mat"); !errors.Is(err, ErrName) {
		t.Errorf("x.mat: error %v", err)
	}
}

// The lines of a stream equal those of a file, whose heading comes before the first clip.
func TestLines(t *testing.T) {
	network := &Predictor{names: made().Names, network: &models.Network{Arch: &models.Arch{Classes: 3}}}
	p := made()
	p.Origin = nil
	for _, format := range []string{CSV, JSON} {
		var file, stream bytes.Buffer
		write, err := network.Lines(&stream, format)
		if err != nil {
			t.Fatal(err)
		}
		heading := stream.String()
		if err := errors.Join(write(p), p.Write(&file, format)); err != nil {
			t.Fatal(err)
		}
		if format == CSV && (heading == "" || stream.String() != file.String()) {
			t.Errorf("a stream gives\n%s, a file\n%s", stream.String(), file.String())
		}
		if format == JSON {
			var rows []row
			if err := json.Unmarshal([]byte("["+strings.ReplaceAll(strings.TrimSpace(stream.String()), "\n", ",")+"]"), &rows); err != nil || heading != "" || len(rows) != 2 || rows[1].Clip != 6 {
				t.Errorf("objects %v, %v", rows, err)
			}
		}
	}
}

// FuzzClipStream sends arbitrary bytes: the result is an error or whole clips of finite numbers.
func FuzzClipStream(f *testing.F) {
	f.Add(raw([]float32{1, 2, 3, 4, 5, 6, 7, 8}))
	f.Add([]byte("\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2, 2), }         \n" + string(raw([]float32{1, 2, 3, 4}))))
	f.Add([]byte("\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 2), }            \n" + strings.Repeat("\x00", 32)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := newClipStream(bytes.NewReader(b), [3]int{1, 2, 2})
		for {
			x, err := c.next(3)
			if err != nil {
				return
			}
			if n := len(x); n == 0 || n%4 != 0 || n > 12 {
				t.Fatalf("%d numbers of clips of 4", n)
			}
			for _, v := range x {
				if v-v != 0 {
					t.Fatalf("the value %g", v)
				}
			}
		}
	})
}
