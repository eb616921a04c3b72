package main

import (
	"fmt"
	"os"

	"eegprune/data"
	"eegprune/models"
	"eegprune/models/op"
	"eegprune/torch"
)

func main() {
	n, _, err := models.OpenExported(os.Args[1], torch.CPU)
	if err != nil {
		fmt.Println(err)
		return
	}
	set, _ := data.LoadNPZ(os.Args[2])
	x, _ := torch.FromSlice(set.X[:4*len(set.X)/16], append([]int{4}, set.Shape...)...)
	g, _ := torch.NewGenerator(torch.CPU, 7)
	s := torch.NewScope(torch.Grad)
	n.Forward(s, x, models.Pass{Training: true, Generator: g, After: func(s *torch.Scope, node *op.Node, out *torch.Tensor) *torch.Tensor {
		if out.Info().DType == torch.Float32 {
			v, err := torch.ToSlice[float32](s.Clone(out))
			sum := 0.0
			for _, f := range v {
				if f < 0 {
					f = -f
				}
				sum += float64(f)
			}
			fmt.Printf("%s %v %.6g %v\n", node.Name, out.Shape(), sum, err)
		}
		return out
	}})
	fmt.Println(s.Err())
}
