package torch_test

import (
	"fmt"

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
