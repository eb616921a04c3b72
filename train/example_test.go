package train_test

import (
	"context"
	"fmt"
	"log"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// A small network of its own learns whether a clip's samples are above or below zero.
func Example() {
	set := &data.Set{Shape: []int{1, 1, 4}, Classes: []string{"below", "above"}}
	for i := range 40 {
		sign := float32(2*(i%2) - 1)
		set.X = append(set.X, sign, sign, sign, sign)
		set.Y = append(set.Y, int64(i%2))
	}
	d, err := train.NewData(set, torch.CPU)
	if err != nil {
		log.Fatal(err)
	}
	defer d.Free()

	net := op.NewNet(1, 1, 4)
	x := net.ReLU("relu")(net.Conv2d("conv", 1, 3, [2]int{1, 2}, op.ConvOptions{})(models.Input))
	net.Linear("out", 9, 2)(net.Flatten("flatten")(x))
	arch, err := models.Custom("small", [3]int{1, 1, 4}, 2, net)
	if err != nil {
		log.Fatal(err)
	}
	n, g, err := train.Fresh(arch, nil, torch.CPU, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer n.Free()
	defer g.Free()

	rows := func(from, to int) (r []int) {
		for i := from; i < to; i++ {
			r = append(r, i)
		}
		return r
	}
	ctx := context.Background()
	history, err := train.Training{
		Network: n, Data: d, Fit: rows(0, 24), Val: rows(24, 32), Generator: g,
		Options: train.Options{Optimizer: "adam", LR: 0.05, BatchSize: 8, Epochs: 20},
	}.Run(ctx)
	if err != nil {
		log.Fatal(err)
	}
	test, err := train.Evaluate(ctx, n, d, rows(32, 40))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d epochs, accuracy %.2f on %d clips\n", len(history.Epochs), test.Accuracy, test.Clips)
	// Output: 20 epochs, accuracy 1.00 on 8 clips
}

// Class weights give the rarer class more weight in the loss.
func ExampleBalancedWeights() {
	labels := []int64{0, 0, 0, 1}
	w := train.BalancedWeights(labels, []int{0, 1, 2, 3}, 2)
	fmt.Printf("%.3f\n", w) // scikit-learn's "balanced": n / (classes * count)
	// Output: [0.667 2.000]
}
