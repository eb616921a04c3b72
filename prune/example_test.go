package prune_test

import (
	"fmt"
	"log"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
)

// Layer-wise filter pruning takes four tenths of the filters of each layer. The network itself is
// left as it is.
func Example() {
	arch, err := models.Build("fbccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		log.Fatal(err)
	}
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Free()
	n, err := models.New(arch, torch.CPU, g)
	if err != nil {
		log.Fatal(err)
	}
	defer n.Free()

	method, err := prune.ByName("lfp")
	if err != nil {
		log.Fatal(err)
	}
	decision, err := prune.Choose(n, method, 0.4, prune.Options{}, prune.Evidence{})
	if err != nil {
		log.Fatal(err)
	}
	small, err := decision.Apply(n)
	if err != nil {
		log.Fatal(err)
	}
	defer small.Free()

	counts, err := small.Arch.Count()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(counts.Parameters, "parameters,", counts.MACs(), "MACs")
	fmt.Println("block1.0:", arch.Tensor("block1.0.weight").Shape, "->", small.Arch.Tensor("block1.0.weight").Shape)
	// Output:
	// 1116467 parameters, 22049354 MACs
	// block1.0: [12 4 3 3] -> [7 4 3 3]
}

// A study is planned before there is a network: Expect decides as if all channels were alike.
func ExampleExpect() {
	arch, err := models.Build("ccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		log.Fatal(err)
	}
	method, err := prune.ByName("lfp")
	if err != nil {
		log.Fatal(err)
	}
	whole, err := arch.Count()
	if err != nil {
		log.Fatal(err)
	}
	decision, err := prune.Expect(arch, method, 0.5, prune.Options{Target: prune.MACs})
	if err != nil {
		log.Fatal(err)
	}
	left, err := decision.Count(arch)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("at least half of the MACs go:", left.MACs() <= whole.MACs()/2)
	// Output: at least half of the MACs go: true
}

// A pruning ratio is a share of the channels or weights to remove.
func ExampleCheckRatio() {
	fmt.Println(prune.CheckRatio(0.4))
	fmt.Println(prune.CheckRatio(1.5) != nil)
	// Output:
	// <nil>
	// true
}
