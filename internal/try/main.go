package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"eegprune/models"
	"eegprune/models/op"
	"eegprune/prune"
	"eegprune/torch"
)

func main() {
	for _, path := range os.Args[1:] {
		t0 := time.Now()
		n, _, err := models.OpenExported(path, torch.CPU)
		name := filepath.Base(path)
		if err != nil {
			fmt.Println(name, "ERR", err)
			continue
		}
		t1 := time.Now()
		m, _ := prune.ByName("lfp")
		d, err := prune.Choose(n, m, 0.4, prune.Options{Linear: true}, prune.Evidence{})
		if err != nil {
			fmt.Println(name, "CHOOSE", err)
			continue
		}
		small, err := d.Apply(n)
		if err != nil {
			fmt.Println(name, "APPLY", err)
			continue
		}
		a, _ := n.Arch.Count()
		b, _ := small.Arch.Count()
		fmt.Printf("%s open %v prune %v: groups %d, params %d -> %d (%.3f), macs %d -> %d\n", name, t1.Sub(t0).Round(time.Millisecond), time.Since(t1).Round(time.Millisecond), len(n.Arch.Groups), a.Parameters, b.Parameters, 1-float64(b.Parameters)/float64(a.Parameters), a.MACs(), b.MACs())
		if len(os.Args) == 2 {
			for _, g := range n.Arch.Groups {
				fmt.Println("  ", g.Name, g.Channels, "filters", g.Layers(op.Filter), "columns", g.Layers(op.Column), "through", g.Layers(op.Through))
			}
			for _, w := range n.Arch.Whole {
				fmt.Println("   whole", w.Layer, w.Why)
			}
		}
		x, _ := torch.Full(0.5, torch.Float32, torch.CPU, append([]int{3}, small.Arch.Input[:]...)...)
		s := torch.NewScope(torch.NoGrad)
		small.Forward(s, x, models.Pass{})
		if s.Err() != nil {
			fmt.Println("   FORWARD", s.Err())
		}
		s.Close()
	}
}
