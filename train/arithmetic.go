package train

import (
	"fmt"
	"strings"

	"github.com/eegprune/eegprune/torch"
)

// Precisions other than float32, faster on a GPU and less exact.
const (
	TF32     = "tf32"      // of products and convolutions, wherever the process computes on a GPU
	TF32Conv = "tf32-conv" // of convolutions only: PyTorch's own default
	BF16     = "bf16"      // of products and convolutions in training steps; weights and all else are float32
)

// Precisions lists them.
func Precisions() []string { return []string{TF32, TF32Conv, BF16} }

// SetArithmetic sets the arithmetic of the process's GPUs to that of the trainings. TF32, Fast and
// CuDNNBenchmark hold for the whole process: trainings that differ in them are an error.
func SetArithmetic(trainings ...Options) error {
	type arithmetic struct{ convolutions, products, fast, benchmark bool }
	arithmeticOf := func(o Options) arithmetic {
		return arithmetic{o.Precision == TF32 || o.Precision == TF32Conv, o.Precision == TF32, o.Fast, o.CuDNNBenchmark}
	}
	if len(trainings) == 0 {
		return nil
	}
	want := arithmeticOf(trainings[0])
	for _, o := range trainings[1:] {
		if arithmeticOf(o) != want {
			return fmt.Errorf("precision %s and %s, fast and cudnn_benchmark hold for all that the process computes: give them to the training and the fine-tuning of every network, or to none",
				TF32, TF32Conv)
		}
	}
	if want == (arithmetic{}) {
		return nil // as libtorch was loaded
	}
	if err := torch.AllowTF32(want.convolutions, want.products); err != nil {
		return err
	}
	if err := torch.SetCuDNNBenchmark(want.benchmark); err != nil {
		return err
	}
	return torch.SetDeterministic(!want.fast)
}

// Arithmetic names the settings by which a GPU computes otherwise than by default; "" for none.
func (o Options) Arithmetic() string {
	var parts []string
	if o.Precision != "" {
		parts = append(parts, "precision "+o.Precision)
	}
	if o.Variants != "" {
		parts = append(parts, "variants "+o.Variants)
	}
	if o.Fast {
		parts = append(parts, "fast: another run gives other bits")
	}
	if o.CuDNNBenchmark {
		parts = append(parts, "cuDNN's fastest algorithms by its benchmark, which may be others in another run")
	}
	return strings.Join(parts, ", ")
}
