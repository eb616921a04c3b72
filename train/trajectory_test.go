package train

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

func TestMain(m *testing.M) { os.Exit(reftest.Main(m)) }

// TestTrajectory repeats a PyTorch program from its seed: initial weights, shuffles,
// the mean loss of every epoch and the final weights.
func TestTrajectory(t *testing.T) {
	var file struct {
		Torch string // that the values come from, such as "2.15.0+cu132"
		Runs  []struct {
			Model     string
			Seed      uint64
			Samples   int
			BatchSize int `json:"batch_size"`
			Epochs    int
			InputKey  uint64 `json:"input_key"`
			Init      map[string]reftest.Digest
			Losses    []float64
			Final     map[string]reftest.Digest
		}
	}
	reftest.ReadJSON(t, "testdata/trajectory.json", &file)
	if len(file.Runs) != 3 {
		t.Fatalf("%d runs in the file, want 3", len(file.Runs))
	}
	if err := torch.SetNumThreads(1); err != nil {
		t.Fatal(err)
	}
	build, err := torch.Version()
	if err != nil {
		t.Fatal(err)
	}
	// Another version's operators round otherwise, and so do another maker's processors, which a training amplifies.
	sameVersion := strings.HasPrefix(file.Torch, build.Torch)
	for _, r := range file.Runs {
		t.Run(r.Model, func(t *testing.T) {
			t.Parallel() // one thread each
			input, opt := [3]int{4, 9, 9}, Options{Optimizer: "sgd"}
			if r.Model == "tsception" {
				input, opt = [3]int{1, 28, 512}, Options{Optimizer: "adam"}
			}
			opt.LR, opt.BatchSize, opt.Epochs, opt.Gamma = 1e-2, r.BatchSize, 1, 1
			none := 0.0
			arch, err := models.Build(r.Model, models.Config{Input: input, Classes: 2, Rate: 128, Dropout: &none})
			if err != nil {
				t.Fatal(err)
			}
			g, err := torch.NewGenerator(torch.CPU, r.Seed)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Free()
			n, err := models.New(arch, torch.CPU, g)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Free()
			for _, p := range n.State() {
				if !p.Buffer {
					r.Init[p.Name].Check(t, "initial "+p.Name, p.Tensor, 1e-12)
				}
			}
			d := trajectoryData(t, r.Samples, input, r.InputKey)
			rows := make([]int, r.Samples)
			for i := range rows {
				rows[i] = i
			}
			var log strings.Builder
			loop, err := newTrainer(context.Background(), Training{Network: n, Data: d, Fit: rows, Options: opt, Generator: g, Watch: Observer{Log: &log}})
			if err != nil {
				t.Fatal(err)
			}
			defer loop.free()
			step, perEpoch := 0, len(r.Losses)/r.Epochs
			for epoch := range r.Epochs {
				tolerance := 1e-4
				switch {
				case sameVersion && epoch == 0:
					tolerance = 1e-6
				case sameVersion:
					tolerance = 1e-5
				}
				order, err := shuffled(rows, g)
				if err != nil {
					t.Fatal(err)
				}
				log.Reset()
				mean, _, err := loop.pass(context.Background(), order, opt.LR)
				if err != nil {
					t.Fatal(err)
				}
				want := 0.0
				for k, l := range r.Losses[step : step+perEpoch] {
					want += l * float64(min(r.BatchSize, r.Samples-k*r.BatchSize))
				}
				want /= float64(r.Samples)
				if math.Abs(mean-want) > tolerance*want {
					t.Errorf("mean loss of steps %d to %d is %.9g, want %.9g", step, step+perEpoch-1, mean, want)
				}
				checkLog(t, log.String(), r.Losses[step], r.Samples, tolerance)
				step += perEpoch
			}
			for _, p := range n.State() {
				if !p.Buffer && sameVersion {
					r.Final[p.Name].CheckBeside(t, "final "+p.Name, p.Tensor, 1e-2, opt.LR)
				}
			}
		})
	}
}

// checkLog compares the one line logged of an epoch with the first loss of it.
func checkLog(t *testing.T, log string, want float64, samples int, tolerance float64) {
	t.Helper()
	var loss float64
	if _, err := fmt.Sscanf(log, "loss: %f ", &loss); err != nil || math.Abs(loss-want) > tolerance*want+5e-7 {
		t.Errorf("the log says %q, want the loss %.6f", log, want)
	}
	if end := fmt.Sprintf(" [%5d/%5d]\n", 0, samples); !strings.HasSuffix(log, end) {
		t.Errorf("the log says %q, want it to end in %q", log, end)
	}
}

// trajectoryData makes the reference program's inputs and labels.
func trajectoryData(t *testing.T, samples int, shape [3]int, key uint64) *Data {
	size := shape[0] * shape[1] * shape[2]
	x := reftest.Ramp(samples*size, key, 2)
	y := make([]int64, samples)
	for i := range y {
		sum := 0.0
		for _, v := range x[i*size : (i+1)*size] {
			sum += float64(v)
		}
		if sum > 0 {
			y[i] = 1
		}
	}
	return &Data{X: reftest.Tensor(t, x, samples, shape[0], shape[1], shape[2]), Y: reftest.Tensor(t, y, samples)}
}
