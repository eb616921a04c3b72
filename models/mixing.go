package models

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/eegprune/eegprune/torch"
)

// Mixing is what to tell of a network whose clips are mixed: see [Network.MixesClips].
const Mixing = "a clip's logits depend on the clips beside it, in evaluation too, and so on the size of batches. " +
	"If that is not meant, look in the module for attention or a recurrent layer without batch_first=True, and for a view that takes the batch for another axis"

// MixesClips reports whether, in evaluation, a clip's logits depend on the clips beside it in the batch, as in
// attention without batch_first, whose sequence is then the batch. It computes three small batches. A network that
// takes one clip at a time, or that computes other logits of the same clips each time, does not count.
func (n *Network) MixesClips() (bool, error) {
	clips := 2
	if e := n.Arch.Exported; e != nil {
		if e.MaxClips < clips {
			return false, nil
		}
		clips = max(clips, e.MinClips)
	}
	each := n.Arch.Input[0] * n.Arch.Input[1] * n.Arch.Input[2]
	x := make([]float32, clips*each)
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(x []float32) {
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
	}
	draw(x)
	var logits [3][]float32
	for i := range logits {
		if i == 2 {
			draw(x[each:])
		}
		var err error
		if logits[i], err = n.firstLogits(x, clips); err != nil {
			return false, fmt.Errorf("computing %d made-up clips: %w", clips, err)
		}
	}
	return !near(logits[2], logits[0]) && near(logits[1], logits[0]), nil
}

// firstLogits computes the logits of the first of so many clips, in one batch.
func (n *Network) firstLogits(x []float32, clips int) ([]float32, error) {
	in, err := torch.FromSlice(x, append([]int{clips}, n.Arch.Input[:]...)...)
	if err != nil {
		return nil, err
	}
	defer in.Free()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	all, err := torch.ToSlice[float32](s.To(n.steps[mode{}].run(s, s.To(in, torch.Float32, n.device), Pass{}), torch.Float32, torch.CPU))
	if err != nil {
		return nil, err
	}
	return all[:n.Arch.Classes], nil
}

// near reports whether numbers are the same but for rounding.
func near(a, b []float32) bool {
	for i := range a {
		if d := math.Abs(float64(a[i] - b[i])); d > 1e-4*math.Max(1, math.Abs(float64(b[i]))) {
			return false
		}
	}
	return true
}
