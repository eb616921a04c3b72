package experiment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

func readFile(t *testing.T, text string) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return ReadFile(path)
}

func TestFileFillsInThePaperAndWhatItSays(t *testing.T) {
	f, err := readFile(t, `
name: test
data: {dir: recordings}
seed: 7
split: {folds: 4}
networks:
  - model: fbccnn
    features: &grid
      seconds: 2
      label: &label [{name: Select, args: {key: [arousal]}}, {name: Binary, args: {threshold: 5}}]
    train: {optimizer: adam, epochs: 3}
    fine_tune: {lr: 0.5}
  - model: ccnn
    features: *grid
    split: {name: KFold}
    methods: [uwmp]
  - model: tsception
    features: {label: *label}
prune: {methods: [lfp, nsfp], ratios: [0.25, 0.5], round_to: 8, target: macs}
recover: [scratch, fine-tune]
distill: {weight: 0.5}
`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := f.Configs()
	if err != nil {
		t.Fatal(err)
	}
	fbccnn, ccnn, tsception := all[0], all[1], all[2]
	if filepath.Base(fbccnn.Data.Dir) != "recordings" || !filepath.IsAbs(fbccnn.Data.Dir) {
		t.Errorf("the recordings are in %q, want them beside the file", fbccnn.Data.Dir)
	}
	want := train.Paper("fbccnn")
	want.Optimizer, want.Epochs = "adam", 3
	if d := cmp.Diff(want, fbccnn.Train); d != "" {
		t.Errorf("training (-want +got):\n%s", d)
	}
	want.LR = 0.5
	if d := cmp.Diff(want, fbccnn.FineTune); d != "" {
		t.Errorf("fine-tuning (-want +got):\n%s", d)
	}
	if d := cmp.Diff(train.Paper("tsception"), tsception.Train); d != "" {
		t.Errorf("training where nothing is said (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]Pruning{{"lfp", 0.25}, {"lfp", 0.5}, {"nsfp", 0.25}, {"nsfp", 0.5}}, fbccnn.Prune); d != "" {
		t.Errorf("pruning (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]Pruning{{"uwmp", 0.25}, {"uwmp", 0.5}}, ccnn.Prune); d != "" {
		t.Errorf("a network's own methods (-want +got):\n%s", d)
	}
	if fbccnn.Split.Folds != 4 || ccnn.Split.Folds != 4 || ccnn.Split.Name != "KFold" || fbccnn.Split.Name != "" || fbccnn.Split.Seed != 7 {
		t.Errorf("splits %+v and %+v", fbccnn.Split, ccnn.Split)
	}
	if ccnn.Data.Features.Seconds != 2 || len(ccnn.Data.Features.Label) != 2 || len(tsception.Data.Features.Label) != 2 {
		t.Errorf("aliases were not followed: %+v, %+v", ccnn.Data.Features, tsception.Data.Features)
	}
	if fbccnn.Options.RoundTo != 8 || fbccnn.Options.Target != "macs" || fbccnn.Distill != (Distill{0.5, PaperTemperature}) || fbccnn.Sparsity != PaperSparsity {
		t.Errorf("options %+v, distillation %+v, sparsity %g", fbccnn.Options, fbccnn.Distill, fbccnn.Sparsity)
	}
	if d := cmp.Diff([]string{result.Scratch, result.FineTuned}, fbccnn.Recover); d != "" {
		t.Errorf("recoveries (-want +got):\n%s", d)
	}
}

func TestFileRepeatsWithEachSeed(t *testing.T) {
	f, err := readFile(t, `
data: {dir: recordings}
seeds: [5, 9]
metric: f1
class_weights: true
networks: [{model: fbccnn}, {model: ccnn, split: {seed: 3}}]
`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := f.Configs()
	if err != nil {
		t.Fatal(err)
	}
	type repetition struct {
		model       string
		seed, split uint64
	}
	var got []repetition
	for _, c := range all {
		got = append(got, repetition{c.Model, c.Seed, c.Split.Seed})
		if c.Metric != result.MetricF1 || !c.ClassWeights || len(c.Seeds) != 2 {
			t.Errorf("metric %q, class weights %v, seeds %v", c.Metric, c.ClassWeights, c.Seeds)
		}
	}
	want := []repetition{{"fbccnn", 5, 5}, {"fbccnn", 9, 9}, {"ccnn", 5, 3}, {"ccnn", 9, 3}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(repetition{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestFilesThatCanNotBeMeant(t *testing.T) {
	const rest = "\nnetworks: [{model: fbccnn}]\n"
	for text, says := range map[string]string{
		"nme: x" + rest:                                 `:1:1: there is no key "nme" (did you mean name?)`,
		"name: x\nseed: many" + rest:                    ":2:7: a whole number is needed here",
		"prune: {ratio: [0.4]}" + rest:                  `no key "ratio" (did you mean ratios?)`,
		"seed: 1\nseeds: [1, 2]" + rest:                 "seed and seeds both",
		"seeds: [2, 2]" + rest:                          "the seed 2 is there twice",
		"metric: auc" + rest:                            `unknown metric "auc"`,
		"split: {inner: 3}" + rest:                      "by the split nested alone",
		"split: {fold: 3}" + rest:                       `:1:9: there is no key "fold" (did you mean folds?)`,
		"recover: [finetune]" + rest:                    `unknown recovery "finetune"`,
		"prune: {methods: [l1], ratios: [0.4]}" + rest:  `unknown pruning method "l1"`,
		"prune: {methods: [lfp], ratios: [1.4]}" + rest: "outside [0, 1)",
		"name: x":                  "there are no networks",
		"networks: [{model: vgg}]": `unknown model "vgg"`,
		"networks: [{model: fbccnn, train: {lr: fast}}]":                        ":1:40: a number is needed here",
		"networks: [{model: fbccnn, train: {optimizer: x}}]":                    `unknown optimizer "x"`,
		"networks: [{model: fbccnn, features: {transforms: [{name: ToGird}]}}]": "ToGrid",
	} {
		_, err := readFile(t, text)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(strings.TrimSpace(err.Error()), "\n") && says != "there are no networks" {
			t.Errorf("%q: error %v, want one line that says %q", text, err, says)
		}
	}
}
