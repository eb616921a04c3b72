package pt2_test

import (
	"fmt"
	"log"

	"github.com/eegprune/eegprune/models/pt2"
)

// An archive of torch.export is read without libtorch.
func ExampleRead() {
	p, err := pt2.Read("testdata/cnn.2.15.pt2")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("written by PyTorch", p.Torch)
	for _, n := range p.Nodes {
		fmt.Println(n.Op)
	}
	// Output:
	// written by PyTorch 2.15.0+cu132
	// aten.unsqueeze.default
	// aten.conv2d.default
	// aten.add_.Tensor
	// aten.batch_norm.default
	// aten.conv2d.default
	// aten.elu.default
	// aten.avg_pool2d.default
	// aten.flatten.using_ints
	// aten.dropout.default
	// aten.linear.default
}
