package experiment

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/result"
)

// TestPaperStudiesAreThePapersCode holds the files against the arguments that the code of
// Rao & Zhong (github.com/jackyrwj/EEG-Model-Network-Pruning, bc50ea1, code/examples_*.py)
// passes to torcheeg: MeanStdNormalize() without an axis, BandDifferentialEntropy() and
// TSCeption(sampling_rate=128), also on SEED's 200 Hz in chunks of 200 samples. The sizes
// are counted by hand from torcheeg's layers.
func TestPaperStudiesAreThePapersCode(t *testing.T) {
	for _, c := range []struct {
		file       string
		rate       float64
		samples    int
		classes    int
		parameters int64 // of TSCeption
	}{
		{"paper-deap.yaml", 128, 512, 2, 12563},
		{"paper-seed.yaml", 200, 200, 3, 12596},
	} {
		f, err := ReadFile(filepath.Join("..", "studies", c.file))
		if err != nil {
			t.Fatal(err)
		}
		f.Data.Dir = "recordings"
		configs, err := f.Configs()
		if err != nil {
			t.Fatal(err)
		}
		for _, config := range configs {
			if d := cmp.Diff([]float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95}, ratios(config)); d != "" {
				t.Errorf("%s: ratios of %s (-want +got):\n%s", c.file, config.Model, d)
			}
			for _, step := range config.Data.Features.Transforms {
				switch step := step.(type) {
				case *transform.MeanStdNormalize:
					if step.Axis != nil {
						t.Errorf("%s: %s is normalised over axis %d", c.file, config.Model, *step.Axis)
					}
				case *transform.BandDifferentialEntropy:
					// torcheeg designs the filters for 128 Hz, whatever the data's rate is.
					var edges []float64
					for _, b := range step.Bands {
						edges = append(edges, b.Low*128/c.rate, b.High*128/c.rate)
					}
					if d := cmp.Diff([]float64{4, 8, 8, 14, 14, 31, 31, 49}, edges); d != "" {
						t.Errorf("%s: bands of %s (-want +got):\n%s", c.file, config.Model, d)
					}
				}
			}
			if config.Model != "tsception" {
				continue
			}
			if n := int(math.Round(config.Data.Features.Seconds * c.rate)); n != c.samples {
				t.Errorf("%s: TSCeption's clips have %d samples, want %d", c.file, n, c.samples)
			}
			rate := c.rate
			if config.SamplingRate != 0 {
				rate = config.SamplingRate
			}
			arch, err := models.Build("tsception", models.Config{Input: [3]int{1, 28, c.samples}, Classes: c.classes, Rate: rate})
			if err != nil {
				t.Fatal(err)
			}
			counts, err := arch.Count()
			if err != nil || counts.Parameters != c.parameters {
				t.Errorf("%s: TSCeption has %d parameters, want %d (%v)", c.file, counts.Parameters, c.parameters, err)
			}
		}
		if c := configs[0]; c.Split.Name != "KFold" || c.Split.Folds != 10 || !cmp.Equal(c.Recover, []string{result.FineTuned, result.Scratch}) {
			t.Errorf("split %+v, recoveries %v", c.Split, c.Recover)
		}
	}
}

// ratios lists those of the first method.
func ratios(c Config) (all []float64) {
	for _, p := range c.Prune {
		if p.Method == c.Prune[0].Method {
			all = append(all, p.Ratio)
		}
	}
	return all
}
