package models

import (
	"testing"

	"github.com/eegprune/eegprune/torch"
)

// Clips are evaluated side by side where they are several and their maps small.
func TestModeOfEvaluation(t *testing.T) {
	for _, c := range []struct {
		model  string
		input  [3]int
		clips  int
		device torch.Device
		grad   torch.Mode
		want   mode
	}{
		{"ccnn", [3]int{4, 9, 9}, 12, torch.CPU, torch.NoGrad, mode{innermost: true}},
		{"ccnn", [3]int{4, 9, 9}, 11, torch.CPU, torch.NoGrad, mode{few: true}},
		{"ccnn", [3]int{4, 9, 9}, 64, torch.CPU, torch.Grad, mode{}},
		{"eegnet", [3]int{1, 4, 128}, 64, torch.CPU, torch.NoGrad, mode{innermost: true}},
		{"eegnet", [3]int{1, 32, 512}, 64, torch.CPU, torch.NoGrad, mode{few: true}},
	} {
		a, err := Build(c.model, Config{Input: c.input, Classes: 2, Rate: 128})
		if err != nil {
			t.Fatal(err)
		}
		n, err := New(a, c.device, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := torch.NewScope(c.grad)
		x, err := torch.Zeros(c.clips, c.input[0], c.input[1], c.input[2])
		if err != nil {
			t.Fatal(err)
		}
		if got := n.evaluation(s, x); got != c.want {
			t.Errorf("%s %v, %d clips: %v, want %v", c.model, c.input, c.clips, got, c.want)
		}
		s.Close()
		x.Free()
		n.Free()
	}
}
