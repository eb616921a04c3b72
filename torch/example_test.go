package torch_test

import (
	"fmt"
	"log"

	"github.com/eegprune/eegprune/torch"
)

// A tensor belongs to whoever makes it, who frees it.
func ExampleFromSlice() {
	t, err := torch.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Free()
	values := make([]float32, 6)
	if err := torch.Read(t, values); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(values)
	// Output: [1 2 3 4 5 6]
}

// A scope owns the outputs of its operations, and records them for gradients: here of the sum of squares.
func Example() {
	x, err := torch.FromSlice([]float32{1, 2, 3}, 3)
	if err != nil {
		log.Fatal(err)
	}
	defer x.Free()
	if err := x.RequireGrad(); err != nil {
		log.Fatal(err)
	}
	s := torch.NewScope(torch.Grad)
	defer s.Close()
	s.Backward(s.Sum(s.Mul(x, x)))
	gradient := s.GradOf(x)
	if err := s.Err(); err != nil { // the first of all operations
		log.Fatal(err)
	}
	values, err := torch.ToSlice[float32](gradient)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(values)
	// Output: [2 4 6]
}

// A generator draws PyTorch's numbers: torch.manual_seed(1); torch.randperm(5).
func ExampleGenerator_Perm() {
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Free()
	order, err := g.Perm(5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(order)
	// Output: [0 4 2 3 1]
}
