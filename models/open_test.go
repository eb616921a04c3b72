package models_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// The same weights in each form of file; testdata/make_pt.py writes the last two.
func TestOpenTakesPyTorchsFiles(t *testing.T) {
	r, _ := load(t, "tsception")
	for _, path := range []string{"../torch/testdata/tsception.safetensors", "../torch/testdata/tsception.pt", "testdata/tsception_legacy.pth", "testdata/tsception_lightning.ckpt"} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			n, meta, err := models.Open(path, models.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer n.Free()
			assumed := strings.Join(meta.Assumed, "; ")
			lightning := strings.Contains(strings.Join(meta.Notes.Sentences(), " "), "left out: epoch, hyper_parameters")
			if !strings.Contains(assumed, "the network tsception") || lightning != strings.HasSuffix(path, ".ckpt") || meta.Provenance != nil {
				t.Errorf("assumed %q, provenance %s", meta.Assumed, meta.Provenance)
			}
			s := torch.NewScope(torch.NoGrad)
			defer s.Close()
			x := reftest.Tensor(t, reftest.Ramp(product(r.InputShape), r.InputKey, 2), r.InputShape...)
			reftest.CheckLogits(t, "logits", n.Forward(s, x, models.Pass{}), r.LogitsEval, beforeSteps)

			_, _, err = models.Open(path, models.OpenOptions{Model: "fbccnn"})
			sentence(t, err, path, "another program", "not those of fbccnn", "lin3.bias is missing", "BN_t.weight is not part")
			if _, _, err := models.Load(path, torch.CPU); err == nil {
				t.Error("Load takes a file that does not say what it holds")
			}
		})
	}
}

func TestOpenListsAllThatIsWrong(t *testing.T) {
	const path = "testdata/tsception_wrong.ckpt"
	_, _, err := models.Open(path, models.OpenOptions{})
	sentence(t, err, path, "fc.3.bias is missing", "fc.0.weight has shape [32 16]", "[32 15]")
}

func TestOpenRefusesHostileFiles(t *testing.T) {
	const path = "../torch/ptfile/testdata/hostile.pt"
	_, _, err := models.Open(path, models.OpenOptions{})
	sentence(t, err, path, "posix.system", "refused", "torch.save(model.state_dict()")
	b, err := os.ReadFile("../torch/testdata/tsception.pt")
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.pt")
	if err := os.WriteFile(cut, b[:len(b)/3], 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err = models.Open(cut, models.OpenOptions{})
	sentence(t, err, cut, "truncated", "get it again")
}

func TestPTDescribesItself(t *testing.T) {
	n := reftest.Network(t, small())
	reftest.Fill(t, n, 3)
	mask := models.NewMask(n.State()[0].Tensor.Len())
	mask.Keep(1)
	if err := n.SetMasks(models.Masks{n.State()[0].Name: mask}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "n.pt")
	if err := n.SavePT(path, "from here"); err != nil {
		t.Fatal(err)
	}
	back, meta, err := models.Load(path, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Free()
	if d := cmp.Diff(n.Arch, meta.Arch, sameArch); d != "" || string(meta.Provenance) != `"from here"` || len(back.Masks()) != 1 {
		t.Errorf("provenance %s, %d masks, architecture:\n%s", meta.Provenance, len(back.Masks()), d)
	}
	if want, got := logits(t, n, 2), logits(t, back, 2); !slices.Equal(want, got) {
		t.Errorf("logits %v became %v", want, got)
	}
	if alone, err := models.ReadMeta(path); err != nil || cmp.Diff(alone.Arch, meta.Arch, sameArch) != "" {
		t.Errorf("ReadMeta: %v", err)
	}
}
