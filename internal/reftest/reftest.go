// Package reftest holds the tools that tests against reference values share: the formula that
// weights and inputs come from, and comparisons that name the differences.
package reftest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// Ramp is the reference programs' array of pseudo-random numbers in [-scale, scale),
// a formula that any language can repeat.
func Ramp(n int, key uint64, scale float64) []float32 {
	r := make([]float32, n)
	for i := range r {
		h := (uint64(i+1)*2654435761 + key*40503) & 0xFFFFFFFF
		h ^= h >> 15
		h = (h * 2246822519) & 0xFFFFFFFF
		h ^= h >> 13
		r[i] = float32((float64(h)/(1<<32) - 0.5) * 2 * scale)
	}
	return r
}

// Fill gives every parameter its value of the reference programs: parameter k of the
// network comes from Ramp with key+k.
func Fill(t testing.TB, n *models.Network, key uint64) {
	t.Helper()
	k := key
	for _, p := range n.State() {
		if p.Buffer {
			continue
		}
		shape := p.Tensor.Shape()
		var v []float32
		switch {
		case n.Arch.Tensor(p.Name).Fill == 1: // the scale of a normalisation
			v = Ramp(p.Tensor.Len(), k, 0.5)
			for i := range v {
				v[i]++
			}
		case len(shape) == 1:
			v = Ramp(p.Tensor.Len(), k, 0.1)
		default:
			v = Ramp(p.Tensor.Len(), k, math.Sqrt(3/float64(p.Tensor.Len()/shape[0])))
		}
		Set(t, p.Tensor, v)
		k++
	}
}

// Tensor makes a tensor that is freed when the test ends.
func Tensor[T torch.Element](t testing.TB, data []T, shape ...int) *torch.Tensor {
	t.Helper()
	x, err := torch.FromSlice(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Free)
	return x
}

// Set puts data in place of a tensor's elements.
func Set[T torch.Element](t testing.TB, x *torch.Tensor, data []T) {
	t.Helper()
	values, err := torch.FromSlice(data, x.Shape()...)
	if err != nil {
		t.Fatal(err)
	}
	defer values.Free()
	if err := x.CopyFrom(values); err != nil {
		t.Fatal(err)
	}
}

// Network builds a model with zero weights that is freed when the test ends.
func Network(t testing.TB, arch *models.Arch) *models.Network {
	t.Helper()
	n, err := models.New(arch, torch.CPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Free)
	return n
}

// A Digest sums up a tensor: its shape, the sum of its elements and of their
// magnitudes, and the first eight.
type Digest struct {
	Shape []int     `json:"shape"`
	Sum   float64   `json:"sum"`
	Abs   float64   `json:"abs"`
	Head  []float64 `json:"head"`
}

// Check compares a tensor with a digest: each number may differ by tolerance times the
// mean magnitude (for Head) or the sum of magnitudes (for Sum and Abs).
func (d Digest) Check(t testing.TB, name string, x *torch.Tensor, tolerance float64) {
	t.Helper()
	d.CheckBeside(t, name, x, tolerance, 0)
}

// CheckBeside is Check for numbers that come of others of the magnitude given, where that is larger than theirs:
// a gradient that is nothing but rounding, as that of a bias before a BatchNorm is, or a weight that was near zero
// before a training's steps.
func (d Digest) CheckBeside(t testing.TB, name string, x *torch.Tensor, tolerance, magnitude float64) {
	t.Helper()
	v, err := floats(x)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(v) < len(d.Head) {
		t.Fatalf("%s: %d elements, want at least %d", name, len(v), len(d.Head))
	}
	var sum, abs float64
	for _, e := range v {
		sum += e
		abs += math.Abs(e)
	}
	near := func(what string, got, want, scale float64) {
		if !(math.Abs(got-want) <= tolerance*scale) {
			t.Errorf("%s: %s is %.9g, want %.9g (off by %.2g of %.3g)", name, what, got, want, math.Abs(got-want)/scale, scale)
		}
	}
	scale := max(d.Abs, 1e-12, magnitude*float64(len(v)))
	near("sum", sum, d.Sum, scale)
	near("sum of magnitudes", abs, d.Abs, scale)
	for i, want := range d.Head {
		near("an element", v[i], want, max(math.Abs(want), scale/float64(len(v))))
	}
}

// Mean is the mean magnitude of the tensor's elements.
func (d Digest) Mean() float64 {
	n := 1
	for _, size := range d.Shape {
		n *= size
	}
	return d.Abs / float64(n)
}

func floats(x *torch.Tensor) ([]float64, error) {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	wide := s.To(x, torch.Float64, torch.CPU)
	if s.Err() != nil {
		return nil, s.Err()
	}
	return torch.ToSlice[float64](wide)
}

// CheckLogits compares logits with expected rows: each may differ by tolerance times
// the largest magnitude expected.
func CheckLogits(t testing.TB, name string, got *torch.Tensor, want [][]float64, tolerance float64) {
	t.Helper()
	v, err := floats(got)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var flat []float64
	scale := 0.0
	for _, row := range want {
		flat = append(flat, row...)
		for _, e := range row {
			scale = max(scale, math.Abs(e))
		}
	}
	if len(v) != len(flat) {
		t.Fatalf("%s: %d logits, want %d", name, len(v), len(flat))
	}
	for i := range flat {
		if !(math.Abs(v[i]-flat[i]) <= tolerance*scale) {
			t.Errorf("%s: logit %d is %.9g, want %.9g", name, i, v[i], flat[i])
			return
		}
	}
}

// Expected returns the path of a file of expected values, such as "prune" of
// "ccnn-selu" or of "heldout/fbccnn": in testdata, or in $EEGPRUNE_REFERENCE where that
// names a directory that scripts/make_reference.py wrote for other seeds and sizes. A
// test of values that are not there is skipped.
func Expected(t testing.TB, kind, model string) string {
	t.Helper()
	group, name := filepath.Split(model)
	name = group + kind + "_" + strings.ReplaceAll(name, "-", "_") + ".json"
	dir := os.Getenv("EEGPRUNE_REFERENCE")
	if dir == "" {
		return filepath.Join("testdata", name)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("EEGPRUNE_REFERENCE: %v: name a directory by its whole path", err)
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not there", path)
	}
	return path
}

// Models are those of which testdata has files of expected values of a kind: "ccnn-selu",
// "heldout/fbccnn".
func Models(kind string) []string {
	var models []string
	for _, dir := range []string{"", "heldout/"} {
		files, _ := filepath.Glob(filepath.Join("testdata", dir, kind+"_*.json"))
		for _, f := range files {
			name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), kind+"_"), ".json")
			models = append(models, dir+strings.ReplaceAll(name, "_", "-"))
		}
	}
	return models
}

// Constrain brings weights that Fill wrote to where a training would have them.
func Constrain(t testing.TB, n *models.Network) {
	t.Helper()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	if n.Constrain(s); s.Err() != nil {
		t.Fatal(s.Err())
	}
}

// ReadJSON reads a file of expected values.
func ReadJSON(t testing.TB, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatalf("reading expected values %s: %v", path, err)
	}
}

// instructions are those that the expected values come from. With others sums are rounded
// otherwise, which a training amplifies.
var instructions = map[string]string{"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2"}

// Main runs a package's tests and returns the exit status. It holds libtorch, which is loaded
// when a tensor is first needed, to the instructions of the expected values unless the
// environment chooses others, and fails the tests when tensors are alive after them: every test
// frees its tensors.
func Main(m *testing.M) int {
	for name, value := range instructions {
		if _, chosen := os.LookupEnv(name); chosen {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, "choosing the processor's instructions:", err)
			return 1
		}
	}
	// Packages are tested side by side, and threads that wait for each other on too few cores
	// take many times as long. Without libtorch each test reports the error.
	_ = torch.SetNumThreads(1)
	code := m.Run()
	if n := torch.LiveTensors(); code == 0 && n != 0 {
		os.Stderr.WriteString("tensors were left alive by the tests: somebody did not free what it owns\n")
		return 1
	}
	return code
}

// WithAllInstructions runs the test that calls it again, in a process of its own that has all
// that the processor can do and so may round otherwise. It reports whether this is not yet that
// process.
func WithAllInstructions(t *testing.T) bool {
	t.Helper()
	const mine = "EEGPRUNE_TEST_ALL_INSTRUCTIONS"
	if os.Getenv(mine) != "" {
		return false
	}
	c := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	c.Env = append(os.Environ(), mine+"=1", "ATEN_CPU_CAPABILITY=", "ONEDNN_MAX_CPU_ISA=ALL", "MKL_CBWR=AUTO")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("with all instructions: %v: %s", err, out)
	}
	return true
}
