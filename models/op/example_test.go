package op_test

import (
	"fmt"
	"log"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
)

// A network with a shortcut is written as a list of operations. The channels of both convolutions are
// added, and can only go together.
func ExampleNet() {
	net := op.NewNet(4, 9, 9)
	first := net.Conv2d("first", 4, 8, [2]int{1, 1}, op.ConvOptions{})(models.Input)
	second := net.Conv2d("second", 8, 8, [2]int{1, 1}, op.ConvOptions{})(net.ReLU("relu")(first))
	net.Linear("out", 8*81, 2)(net.Flatten("flatten")(net.Add("add")(first, second)))
	arch, err := models.Custom("shortcut", [3]int{4, 9, 9}, 2, net)
	if err != nil {
		log.Fatal(err)
	}
	for _, g := range arch.Groups {
		fmt.Println(g.Name, g.Channels)
	}
	// Output: first 8
}
