package main

import (
	"fmt"
	"math"
	"os"

	"eegprune/models"
	"eegprune/prune"
	"eegprune/torch"
)

func logits(n *models.Network) []float32 {
	a := n.Arch
	size := 3 * a.Input[0] * a.Input[1] * a.Input[2]
	v := make([]float32, size)
	for i := range v {
		v[i] = float32(math.Sin(float64(i) * 0.7))
	}
	x, _ := torch.FromSlice(v, append([]int{3}, a.Input[:]...)...)
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	out := n.Forward(s, x, models.Pass{})
	if s.Err() != nil {
		fmt.Println("FORWARD", s.Err())
		return nil
	}
	r, _ := torch.ToSlice[float32](s.Clone(out))
	return r
}

func main() {
	n, _, err := models.OpenExported(os.Args[1], torch.CPU)
	if err != nil {
		fmt.Println(err)
		return
	}
	groups := n.Arch.Groups
	for at := range groups {
		g := groups[at]
		keep := prune.Keep{}
		for _, o := range groups[:at+1] {
			var kept []int
			for c := range o.Channels {
				if c%5 > 1 || o.Channels == 1 {
					kept = append(kept, c)
				}
			}
			if kept == nil {
				continue
			}
			keep[o.Name] = kept
		}
		small, err := prune.Remove(n, keep)
		if err != nil {
			fmt.Println(g.Name, err)
			continue
		}
		masked, _ := n.Clone()
		for _, r := range small.Arch.Removed {
			if r.Role != models.Consumer {
				continue
			}
			t := masked.Tensor(r.Tensor)
			v, _ := torch.ToSlice[float32](t)
			shape := t.Shape()
			inner := 1
			for _, d := range shape[r.Dim+1:] {
				inner *= d
			}
			stays := map[int]bool{}
			for _, k := range r.Kept {
				stays[k] = true
			}
			for i := range v {
				if !stays[i/inner%shape[r.Dim]] {
					v[i] = 0
				}
			}
			z, _ := torch.FromSlice(v, shape...)
			t.CopyFrom(z)
		}
		a, b := logits(small), logits(masked)
		worst, scale := 0.0, 0.0
		for i := range b {
			scale = max(scale, math.Abs(float64(b[i])))
			if i < len(a) {
				worst = max(worst, math.Abs(float64(a[i]-b[i])))
			}
		}
		if worst > 1e-5*scale || len(os.Args) > 2 {
			fmt.Printf("%s %d: %.2g\n", g.Name, g.Channels, worst/scale)
			for _, r := range small.Arch.Removed {
				fmt.Println("   ", r.Tensor, r.Dim, r.Size, len(r.Kept), r.Role)
			}
		}
		small.Free()
		masked.Free()
	}
}
