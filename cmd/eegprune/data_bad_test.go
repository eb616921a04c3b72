package main_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/data/pickle"
	"github.com/eegprune/eegprune/data/source"
)

// first is the file of the first subject, which the tests spoil.
func first(format string) string {
	return map[string]string{"edf": "s01.edf", "deap": "s01.dat", "seed": "1_20000101.mat", "npy": "s1_low.npy"}[format]
}

// goodRecordings makes recordings of two subjects, once for each test that wants them.
func goodRecordings(t *testing.T, format string) (dir string) {
	t.Helper()
	if format != "npy" {
		return simulated(t, format)
	}
	dir = t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	for _, name := range []string{"s1_low", "s1_high", "s2_low", "s2_high"} {
		write(t, filepath.Join(dir, "recordings", name+".npy"), npyArray(t, "<f8", []int{2, 384}, noise(2*384)))
	}
	write(t, filepath.Join(dir, "recordings", source.ManifestName), []byte(`format: npy
files: 's(?<subject>\d)_(?<class>\w+)\.npy$'
label: {group: class, classes: {low: low, high: high}}
signal: {rate: 128, electrodes: [Fp1, Cz]}
`))
	return dir
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func noise(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = 10 * math.Sin(float64(i*i))
	}
	return x
}

func npyArray(t *testing.T, kind string, shape []int, values []float64) []byte {
	t.Helper()
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }", kind, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(shape)), ", "), "[]"))
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	b = append(b, header...)
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

func npzArray(t *testing.T, name string, shape []int, values []float64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npy.WriteArchive(&b, []npy.Named{{Name: name, Shape: shape, Values: values}}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// deapFile is a file of DEAP with arrays of some shapes; change spoils values.
func deapFile(t *testing.T, shape, labels []int, change func(data, labels []float64)) []byte {
	t.Helper()
	size := func(shape []int) int {
		n := 1
		for _, s := range shape {
			n *= s
		}
		return n
	}
	x, y := noise(size(shape)), make([]float64, size(labels))
	for i := range y {
		y[i] = float64(1 + i%9)
	}
	if change != nil {
		change(x, y)
	}
	var b bytes.Buffer
	if err := pickle.WriteDict(&b, []pickle.Named{
		{Name: "data", Shape: shape, Lines: func(yield func([]float64) bool) { yield(x) }},
		{Name: "labels", Shape: labels, Lines: func(yield func([]float64) bool) { yield(y) }}}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// seedFile is a file of SEED with the trials that are named.
func seedFile(t *testing.T, rows int, trials ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	err := mat.WriteHeader(&b)
	x := make([][]float64, rows)
	for i := range x {
		x[i] = noise(600 + i)[i:]
	}
	for _, name := range trials {
		if err == nil {
			err = mat.WriteMatrix(&b, name, x)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func seedTrials(except int) (names []string) {
	for i := 1; i <= 6; i++ {
		if i != except {
			names = append(names, fmt.Sprintf("x_eeg%d", i))
		}
	}
	return names
}

// bomb is a MAT file of a few bytes whose matrix says that it has gigabytes.
func bomb() []byte {
	le := binary.LittleEndian
	var head bytes.Buffer
	_ = mat.WriteHeader(&head)
	var inside bytes.Buffer
	for _, v := range []uint32{14, 3 << 30, 6, 8, 6, 0, 5, 8, 62, 6 << 20, 1, 6} {
		_ = binary.Write(&inside, le, v)
	}
	inside.WriteString("x_eeg1\x00\x00")
	for _, v := range []uint32{9, 62 * (6 << 20) * 8} {
		_ = binary.Write(&inside, le, v)
	}
	inside.Write(make([]byte, 1<<20))
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(inside.Bytes())
	_ = z.Close()
	_ = binary.Write(&head, le, []uint32{15, uint32(packed.Len())})
	return append(head.Bytes(), packed.Bytes()...)
}

// maxBadMegabytes is the most memory that refusing a small file may take.
const maxBadMegabytes = 400

// TestBadFiles: one sentence that names the file and the place, and with --skip-bad the
// other subject's clips.
func TestBadFiles(t *testing.T) {
	replace := func(b []byte) func([]byte) []byte { return func([]byte) []byte { return b } }
	eeg := []int{6, 40, 768}
	for _, c := range []struct {
		name, format string
		spoil        func([]byte) []byte
		words        []string
	}{
		{"two dimensions", "deap", replace(deapFile(t, []int{40, 768}, []int{6, 4}, nil)), []string{`"data"`, "dimensions"}},
		{"few channels", "deap", replace(deapFile(t, []int{6, 20, 768}, []int{6, 4}, nil)), []string{"20 channels"}},
		{"short trials", "deap", replace(deapFile(t, []int{6, 40, 300}, []int{6, 4}, nil)), []string{"300 samples"}},
		{"labels of fewer trials", "deap", replace(deapFile(t, eeg, []int{5, 4}, nil)), []string{"6 trials", "5"}},
		{"three labels", "deap", replace(deapFile(t, eeg, []int{6, 3}, nil)), []string{"3 columns"}},
		{"NaN", "deap", replace(deapFile(t, eeg, []int{6, 4}, func(x, _ []float64) { x[500] = math.NaN() })), []string{"Fp1"}},
		{"Inf", "deap", replace(deapFile(t, eeg, []int{6, 4}, func(x, _ []float64) { x[500+768] = math.Inf(1) })), []string{"AF3"}},
		{"label out of range", "deap", replace(deapFile(t, eeg, []int{6, 4}, func(_, y []float64) { y[8] = 12 })), []string{"trial 3", "valence", "12"}},
		{"label NaN", "deap", replace(deapFile(t, eeg, []int{6, 4}, func(_, y []float64) { y[9] = math.NaN() })), []string{"trial 3", "arousal", "NaN"}},
		{"os.system", "deap", replace([]byte("cos\nsystem\n(S'touch PWNED'\ntR.")), []string{"os", "system", "byte"}},
		{"deep recursion", "deap", replace(append([]byte("\x80\x02"), bytes.Repeat([]byte("]("), 1<<20)...)), []string{"byte"}},
		{"deep tuples", "deap", replace(append([]byte("\x80\x02)"), bytes.Repeat([]byte("\x85"), 1<<20)...)), []string{"byte"}},
		{"huge string", "deap", replace([]byte("\x80\x02T\xff\xff\xff\x7fabc.")), []string{"byte"}},
		{"huge count", "deap", func(b []byte) []byte {
			return bytes.Replace(b, binary.LittleEndian.AppendUint32([]byte("(K\x01(J"), 6), []byte("(K\x01(J\xff\xff\xff\x7f"), 2)
		}, []string{"byte", "2147483647"}},
		{"61 electrodes", "seed", replace(seedFile(t, 61, seedTrials(0)...)), []string{"x_eeg1", "61 x 600", "62 electrodes"}},
		{"trial missing", "seed", replace(seedFile(t, 62, seedTrials(4)...)), []string{"trial 4"}},
		{"trial beyond the labels", "seed", replace(seedFile(t, 62, "x_eeg7")), []string{"x_eeg7", "trial 7"}},
		{"bomb", "seed", replace(bomb()), []string{"byte"}},
		{"HDF5", "seed", replace(append([]byte("\x89HDF\r\n\x1a\n"), make([]byte, 2000)...)), []string{"HDF5", "damaged"}},
		{"three channels", "npy", replace(npyArray(t, "<f8", []int{3, 384}, noise(3*384))), []string{"3 channels"}},
		{"one dimension", "npy", replace(npyArray(t, "<f8", []int{768}, noise(768))), []string{"shape"}},
		{"objects", "npy", replace(npyArray(t, "|O", []int{2, 384}, noise(768))), []string{"Python objects"}},
		{"shape beyond the file", "npy", replace(npyArray(t, "<f8", []int{2, 1 << 40}, noise(768))), nil},
		{"NaN in an array", "npy", replace(npyArray(t, "<f8", []int{2, 384}, append(noise(767), math.NaN()))), []string{"Cz"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := goodRecordings(t, c.format)
			edit(t, filepath.Join(dir, "recordings", first(c.format)), c.spoil)
			refused(t, dir, first(c.format), c.words...)
			skipped(t, dir, first(c.format))
			if _, err := os.Stat(filepath.Join(dir, "PWNED")); err == nil {
				t.Fatal("the pickle was executed")
			}
		})
	}
}

// refused makes features of a directory in which one file is bad.
func refused(t *testing.T, dir, file string, words ...string) {
	t.Helper()
	c := command(dir, "data", "features", "recordings", "--quiet")
	r := finish(t, c)
	if r.code != 1 {
		t.Errorf("exit code %d, want 1: %s", r.code, r.stdout)
	}
	oneSentence(t, r, append(words, "recordings/"+file)...)
	if mb := c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10; mb > maxBadMegabytes {
		t.Errorf("refusing the file took %d MB", mb)
	}
}

// cutOff reads the rest of a recording that has lost its end.
func cutOff(t *testing.T, dir, file string) {
	t.Helper()
	if r := must(t, dir, "data", "features", "recordings", "--quiet"); !regexp.MustCompile(`(?m)^note: ` + regexp.QuoteMeta(file) + `: The file is cut off: \d+ of the \d+ data records`).MatchString(r.stdout) {
		t.Errorf("it does not say that %s is cut off: %s", file, r.stdout)
	}
	for _, args := range [][]string{{"features", "recordings"}, {"info", "recordings"}, {"convert", "recordings", "--out", "c"}} {
		r := eegprune(t, dir, append(append([]string{"data"}, args...), "--quiet", "--strict")...)
		if r.code != 1 {
			t.Errorf("data %v --strict: exit code %d, want 1", args, r.code)
		}
		oneSentence(t, r, file, "cut off", "--strict")
	}
}

// skipped goes on without a bad file, and names it.
func skipped(t *testing.T, dir, file string) {
	t.Helper()
	r := must(t, dir, "data", "features", "recordings", "--quiet", "--skip-bad")
	if !regexp.MustCompile(`(?m)^note: .*Left out: .*`+regexp.QuoteMeta(file)).MatchString(r.stdout) || !regexp.MustCompile(`^[1-9]\d* clips`).MatchString(r.stdout) {
		t.Errorf("--skip-bad does not list %s or has nothing left: %s", file, r.stdout)
	}
	r = must(t, dir, "data", "info", "recordings", "--quiet", "--skip-bad")
	if !regexp.MustCompile(`(?m)^(can't be read|fault): .*`+regexp.QuoteMeta(file)).MatchString(r.stdout) || !regexp.MustCompile(`│ s?0?2 `).MatchString(r.stdout) {
		t.Errorf("info does not show %s as bad, or not the other subject:\n%s", file, r.stdout)
	}
}

// TestTruncatedFiles: a file that ends too early is refused; of EDF, whose records are whole
// by themselves, the rest is read unless --strict forbids it.
func TestTruncatedFiles(t *testing.T) {
	for _, format := range []string{"edf", "deap", "seed", "npy"} {
		t.Run(format, func(t *testing.T) {
			dir := goodRecordings(t, format)
			path := filepath.Join(dir, "recordings", first(format))
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for k := range 16 {
				write(t, path, whole[:len(whole)*k/16])
				if format == "edf" && k > 1 {
					cutOff(t, dir, first(format))
					continue
				}
				refused(t, dir, first(format))
			}
			if format == "edf" {
				write(t, path, whole[:len(whole)/32])
			}
			skipped(t, dir, first(format))
		})
	}
}

func TestTruncatedArchives(t *testing.T) {
	dir := goodRecordings(t, "npy")
	write(t, filepath.Join(dir, "recordings", "s1_low.npz"), nil)
	edit(t, filepath.Join(dir, "recordings", source.ManifestName), func(b []byte) []byte { return bytes.Replace(b, []byte(`\.npy$`), []byte(`\.np[yz]$`), 1) })
	whole := npzArray(t, "x", []int{2, 384}, noise(768))
	for k := range 16 {
		write(t, filepath.Join(dir, "recordings", "s1_low.npz"), whole[:len(whole)*k/16])
		refused(t, dir, "s1_low.npz")
	}
	skipped(t, dir, "s1_low.npz")
}

func TestConvertSkipsBadFiles(t *testing.T) {
	dir := goodRecordings(t, "deap")
	edit(t, filepath.Join(dir, "recordings", "s01.dat"), func(b []byte) []byte { return b[:len(b)/2] })
	r := eegprune(t, dir, "data", "convert", "recordings", "--out", "converted", "--quiet")
	if r.code != 1 {
		t.Errorf("exit code %d, want 1", r.code)
	}
	oneSentence(t, r, "s01.dat", "byte")
	if left, _ := filepath.Glob(filepath.Join(dir, "*converted*")); len(left) > 0 {
		t.Errorf("a failed conversion left %v", left)
	}
	if r = must(t, dir, "data", "convert", "recordings", "--out", "converted", "--skip-bad"); !strings.Contains(r.stdout, "s01.dat") {
		t.Errorf("it does not say what it left out: %s", r.stdout)
	}
	if s := info(t, dir, "converted"); len(s.Subjects) != 1 || s.Subjects[0].Trials != 6 {
		t.Errorf("converted %+v", s.Subjects)
	}
}

func TestForeignFilesAreNamed(t *testing.T) {
	dir := goodRecordings(t, "seed")
	for _, name := range []string{"notes.txt", "photo.jpg", "sub/3_20000101.xls"} {
		write(t, filepath.Join(dir, "recordings", name), []byte("something else"))
	}
	s := info(t, dir, "recordings")
	if notes := strings.Join(s.Notes.Sentences(), "\n"); len(s.Subjects) != 2 || !strings.Contains(notes, "notes.txt") || !strings.Contains(notes, "3 of 7 files are left out") {
		t.Errorf("%d subjects, notes %s", len(s.Subjects), notes)
	}
}

// TestForbiddenFiles runs the program as nobody where the test is root's: root may read
// everything.
func TestForbiddenFiles(t *testing.T) {
	dir := goodRecordings(t, "deap")
	path := filepath.Join(dir, "recordings", "s01.dat")
	for p, mode := range map[string]os.FileMode{path: 0, dir: 0o777, filepath.Dir(dir): 0o755, filepath.Dir(program): 0o755} {
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
	}
	asStranger := func(args ...string) outcome {
		t.Helper()
		c := command(dir, args...)
		if os.Getuid() == 0 {
			c = exec.Command("setpriv", append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", program}, args...)...)
			c.Dir = dir
		}
		return finish(t, c)
	}
	r := asStranger("data", "features", "recordings", "--quiet")
	if r.code != 1 {
		t.Errorf("exit code %d, want 1: %s", r.code, r.stdout)
	}
	oneSentence(t, r, "s01.dat", "permission", "chmod")
	if r = asStranger("data", "features", "recordings", "--quiet", "--skip-bad"); r.code != 0 || !strings.Contains(r.stdout, "18 clips") || !strings.Contains(r.stdout, "s01.dat") {
		t.Errorf("--skip-bad: exit code %d, %s %s", r.code, r.stdout, r.stderr)
	}
	if r = asStranger("data", "info", "recordings", "--quiet"); r.code != 1 || !strings.Contains(r.stdout, "│ 02 ") {
		t.Errorf("info: exit code %d, %s", r.code, r.stdout)
	}
	oneSentence(t, r, "s01.dat", "--skip-bad")
	if err := os.Chmod(filepath.Join(dir, "recordings"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "recordings"), 0o755) }) // or it can't be removed
	r = asStranger("data", "info", "recordings", "--quiet")
	if r.code != 1 {
		t.Errorf("a forbidden directory: exit code %d, want 1: %s", r.code, r.stdout)
	}
	oneSentence(t, r, "recordings", "permission")
}

func TestInterruptedConversionLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	must(t, dir, "data", "simulate", "--out", "recordings", "--subjects", "2", "--trials", "60", "--seconds", "4")
	c := command(dir, "data", "convert", "recordings", "--out", "made/converted", "--quiet")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if begun, _ := filepath.Glob(filepath.Join(dir, "made", ".*", "*.npz")); len(begun) > 0 {
			break
		}
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d, want 130: %s", code, &stderr)
	}
	oneSentence(t, outcome{stderr: stderr.String()}, "interrupted", "made/converted")
	if left := files(t, filepath.Join(dir, "made")); len(left) > 0 {
		t.Errorf("an interrupted conversion left %v", left)
	}
	must(t, dir, "data", "convert", "recordings", "--out", "made/converted")
}
