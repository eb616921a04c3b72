package models_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// logits computes them for a ramp of n clips.
func logits(t interface{ Fatal(...any) }, n *models.Network, clips int) []float32 {
	in := n.Arch.Input
	size := clips * in[0] * in[1] * in[2]
	x, err := torch.FromSlice(reftest.Ramp(size, 17, 2), clips, in[0], in[1], in[2])
	if err != nil {
		t.Fatal(err)
	}
	defer x.Free()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	v, err := torch.ToSlice[float32](n.Forward(s, x, models.Pass{}))
	if err != nil {
		t.Fatal(err, s.Err())
	}
	return v
}

func TestCheckpointsGoRound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.safetensors")
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		for i := range arch.Groups {
			if rapid.Bool().Draw(rt, "pruned") {
				for c := range arch.Groups[i].Channels {
					arch.Groups[i].Kept = append(arch.Groups[i].Kept, 2*c)
				}
			}
		}
		g, err := torch.NewGenerator(torch.CPU, rapid.Uint64().Draw(rt, "seed"))
		if err != nil {
			rt.Fatal(err)
		}
		defer g.Free()
		n, err := models.New(arch, torch.CPU, g)
		if err != nil {
			rt.Fatal(err)
		}
		defer n.Free()
		if err := n.Save(path, map[string]any{"from": "<here & there>"}); err != nil {
			rt.Fatal(err)
		}
		back, meta, err := models.Load(path, torch.CPU)
		if err != nil {
			rt.Fatal(err)
		}
		defer back.Free()
		if d := cmp.Diff(n.Arch, back.Arch, sameArch); d != "" {
			rt.Errorf("architecture (-saved +loaded):\n%s", d)
		}
		if want, got := logits(rt, n, 2), logits(rt, back, 2); !slices.Equal(want, got) {
			rt.Errorf("logits %v became %v", want, got)
		}
		var provenance map[string]string
		if err := json.Unmarshal(meta.Provenance, &provenance); err != nil || provenance["from"] != "<here & there>" {
			rt.Errorf("provenance %s (%v)", meta.Provenance, err)
		}
		alone, err := models.ReadMeta(path)
		if d := cmp.Diff(meta, alone, sameArch); err != nil || d != "" {
			rt.Errorf("ReadMeta: %v, differences from Load:\n%s", err, d)
		}
	})
}

// TestCheckpointsKeepBatchNormStatistics has values that no fresh network has.
func TestCheckpointsKeepBatchNormStatistics(t *testing.T) {
	n := reftest.Network(t, small())
	for i, p := range n.State() {
		if p.Tensor.Info().DType == torch.Int64 {
			reftest.Set(t, p.Tensor, []int64{1<<40 + 1})
		} else {
			reftest.Set(t, p.Tensor, reftest.Ramp(p.Tensor.Len(), uint64(i), 3))
		}
	}
	path := filepath.Join(t.TempDir(), "n.safetensors")
	if err := n.Save(path, nil); err != nil {
		t.Fatal(err)
	}
	back, _, err := models.Load(path, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Free()
	for i, p := range back.State() {
		if p.Tensor.Info().DType == torch.Int64 {
			if v, err := torch.ToSlice[int64](p.Tensor); err != nil || v[0] != 1<<40+1 {
				t.Errorf("%s is %v (%v)", p.Name, v, err)
			}
		} else if v, err := torch.ToSlice[float32](p.Tensor); err != nil || !slices.Equal(v, reftest.Ramp(p.Tensor.Len(), uint64(i), 3)) {
			t.Errorf("%s is %v (%v)", p.Name, v, err)
		}
	}
}

// TestPyTorchsFileFillsTheNetwork reads the reference program's network from a file written by Python's
// safetensors package.
func TestPyTorchsFileFillsTheNetwork(t *testing.T) {
	r, arch := load(t, "tsception")
	n, want := reftest.Network(t, arch), reftest.Network(t, arch)
	reftest.Fill(t, want, r.Key)
	tensors, _, err := torch.LoadSafetensors("../torch/testdata/tsception.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer torch.FreeAll(tensors)
	if err := torch.LoadState(n.State(), tensors); err != nil {
		t.Fatal(err)
	}
	if len(tensors) != len(n.State()) {
		t.Errorf("%d tensors in the file, %d in the network", len(tensors), len(n.State()))
	}
	for i, p := range n.State() {
		if p.Buffer {
			continue
		}
		got, err := torch.ToSlice[float32](p.Tensor)
		if err != nil {
			t.Fatal(err)
		}
		ramp, err := torch.ToSlice[float32](want.State()[i].Tensor)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, ramp) {
			t.Errorf("%s differs", p.Name)
		}
	}
	x := reftest.Tensor(t, reftest.Ramp(product(r.InputShape), r.InputKey, 2), r.InputShape...)
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	reftest.CheckLogits(t, "logits", n.Forward(s, x, models.Pass{}), r.LogitsEval, beforeSteps)
}

// metadata describes an architecture as a checkpoint does, after a change.
func metadata(t testing.TB, arch *models.Arch, change func(m map[string]any)) map[string]string {
	t.Helper()
	text, err := json.Marshal(models.Meta{Format: 1, Arch: arch})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	if text, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"eegprune": string(text)}
}

func TestBadCheckpointsAreOneSentence(t *testing.T) {
	n := reftest.Network(t, small())
	state, dir := n.State(), t.TempDir()
	same := func(map[string]any) {}
	other := small()
	other.Tensor("out.weight").Name, other.Node("out").Args["weight"], other.Groups = "head.weight", op.Ref("head.weight"), nil
	wider := small()
	wider.Tensor("a.weight").Shape[0], wider.Tensor("b.weight").Shape[0], wider.Tensor("out.weight").Shape[1] = 1<<18, 1<<18, 1<<18
	for _, name := range []string{"a.bias", "b.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"} {
		wider.Tensor(name).Shape[0] = 1 << 18
	}
	wider.Groups = nil
	fewer := slices.DeleteFunc(slices.Clone(state), func(p torch.Named) bool { return p.Name == "norm.running_var" })
	for what, c := range map[string]struct {
		state    []torch.Named
		metadata map[string]string
		says     []string
	}{
		"foreign":         {state, nil, []string{"does not say what network it holds"}},
		"foreign format":  {state, map[string]string{"format": "pt"}, []string{"does not say what network it holds"}},
		"damaged":         {state, map[string]string{"eegprune": `{"format":1,`}, []string{"description is damaged"}},
		"other types":     {state, map[string]string{"eegprune": `{"format":1,"arch":[]}`}, []string{"description is damaged"}},
		"newer":           {state, metadata(t, small(), func(m map[string]any) { m["format"] = 5 }), []string{"format 5", "formats up to 4", "use the version that wrote it"}},
		"no format":       {state, map[string]string{"eegprune": `{}`}, []string{"format 0"}},
		"no architecture": {state, metadata(t, small(), func(m map[string]any) { delete(m, "arch") }), []string{"lacks the architecture"}},
		"bad network":     {state, metadata(t, small(), func(m map[string]any) { m["arch"].(map[string]any)["classes"] = 5 }), []string{"architecture is damaged", "not 5 logits"}},
		"other tensors":   {state, metadata(t, other, same), []string{"head.weight is missing", "out.weight is not part of the network"}},
		"larger network":  {state, metadata(t, wider, same), []string{"another network", "parameters"}},
		"a tensor fewer":  {fewer, metadata(t, small(), same), []string{"norm.running_var is missing"}},
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(dir, strings.ReplaceAll(what, " ", "_"))
			if err := torch.SaveSafetensors(path, c.state, c.metadata); err != nil {
				t.Fatal(err)
			}
			before := torch.LiveTensors()
			_, _, err := models.Load(path, torch.CPU)
			sentence(t, err, append(c.says, path)...)
			if got := torch.LiveTensors() - before; got != 0 {
				t.Errorf("%d tensors are left", got)
			}
		})
	}
	whole := filepath.Join(dir, "whole")
	if err := n.Save(whole, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut")
	for i := range 16 {
		if err := os.WriteFile(cut, data[:len(data)*i/16], 0o644); err != nil {
			t.Fatal(err)
		}
		says := "not a whole safetensors file"
		if i == 0 {
			says = "empty"
		}
		_, _, err := models.Load(cut, torch.CPU)
		sentence(t, err, cut, says)
		_, err = models.ReadMeta(cut)
		sentence(t, err, cut, says)
	}
	if _, err := models.ReadMeta(filepath.Join(dir, "nosuch")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if err := n.Save(filepath.Join(dir, "bad"), func() {}); err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("provenance that is no JSON: error %v, want one that names the file", err)
	}
}

func sentence(t *testing.T, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
}

// FuzzCheckpointDescription gives a whole safetensors file any description.
func FuzzCheckpointDescription(f *testing.F) {
	for _, change := range []func(a *models.Arch){
		func(*models.Arch) {},
		func(a *models.Arch) { a.Node("a").Args["input"] = op.Ref("a") },
		func(a *models.Arch) { a.Tensor("a.weight").Shape[0] = 1 << 62 },
		func(a *models.Arch) { a.Tensor("out.weight").Shape[1] = -3 },
		func(a *models.Arch) { a.Node("a").Args["stride"] = []int{1 << 62, -1} },
		func(a *models.Arch) { a.Node("a").Args["groups"] = -1 },
		func(a *models.Arch) { a.Groups[0].Channels = 1 << 62 },
		func(a *models.Arch) { a.Node("flatten").Args["self"] = op.Ref("norm.num_batches_tracked") },
		func(a *models.Arch) { *a = *placed() },
	} {
		a := small()
		change(a)
		f.Add(metadata(f, a, func(map[string]any) {})["eegprune"])
	}
	f.Add(`{"format":1,"arch":{"classes":2,"layers":null}}`)
	f.Add(`{"format":1,"arch":null}`)
	f.Add(`[[[[`)
	f.Add(`{"format":1,"arch":` + oldArch + `}`)
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "n.safetensors")
		x := reftest.Tensor(t, make([]float32, 64), 64)
		// Not SaveSafetensors, which waits for the disk.
		var file bytes.Buffer
		if torch.WriteSafetensors(&file, []torch.Named{{Name: "x", Tensor: x}}, map[string]string{"eegprune": text}) != nil {
			return // not UTF-8
		}
		if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		before := torch.LiveTensors()
		meta, err := models.ReadMeta(path)
		if err == nil {
			if _, err := meta.Arch.Count(); err != nil {
				t.Errorf("a description that passed can't be counted: %v", err)
			}
		}
		n, _, loadErr := models.Load(path, torch.CPU)
		if loadErr == nil {
			n.Free()
			if err != nil {
				t.Errorf("Load takes what ReadMeta refuses: %v", err)
			}
		}
		if left := torch.LiveTensors() - before; left != 0 {
			t.Errorf("%d tensors are left", left)
		}
	})
}
