package train

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// ofVariants are networks whose layers have variants of all kinds.
func ofVariants(t *testing.T) map[string]*models.Arch {
	all := map[string]*models.Arch{}
	for name, c := range map[string]models.Config{
		"fbccnn":    {Input: [3]int{4, 9, 9}, Classes: 2},
		"eegnet":    {Input: [3]int{1, 8, 128}, Classes: 2, Rate: 64},
		"tsception": {Input: [3]int{1, 8, 128}, Classes: 2, Rate: 64},
	} {
		arch, err := models.Build(name, c)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = arch
	}
	return all
}

// stepsWith trains on made-up clips and returns the losses and what was tried.
func stepsWith(t *testing.T, arch *models.Arch, variants string, shared *Trials) ([]float64, *trainer) {
	t.Helper()
	n, g, err := Fresh(arch, nil, torch.CPU, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Free()
	defer g.Free()
	d, err := madeUp(arch, 12, torch.CPU, g)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Free()
	o := Options{Optimizer: "sgd", LR: 0.01, BatchSize: 6, Epochs: 1, Variants: variants}
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	r, err := newTrainer(context.Background(), Training{Network: n, Data: d, Fit: upTo(12), Options: o, Generator: g, Trials: shared})
	if err != nil {
		t.Fatal(err)
	}
	defer r.free()
	r.lr = o.LR
	losses, err := r.losses(context.Background(), 2)
	if err != nil {
		t.Fatal(err)
	}
	return losses, r
}

// All variants train as libtorch's operations do, and draw nothing; the same names give the same bits.
func TestVariantsTrainAlike(t *testing.T) {
	for name, arch := range ofVariants(t) {
		live := torch.LiveTensors()
		want, _ := stepsWith(t, arch, "", nil)
		for _, variant := range append(models.VariantNames(), strings.Join(models.VariantNames(), ","), AutoVariants) {
			got, r := stepsWith(t, arch, variant, nil)
			for i := range want {
				if !(math.Abs(got[i]-want[i]) <= 1e-4*want[i]) {
					t.Errorf("%s by %s: loss %d is %v, without %v", name, variant, i, got[i], want[i])
				}
			}
			taken := r.Network.Variants()
			for _, trial := range r.trials {
				if trial.Refused == "" && taken[trial.Layer] == "" {
					t.Errorf("%s by %s: %+v, and the layer takes none", name, variant, trial)
				}
				if variant != AutoVariants && trial.Refused != "" {
					t.Errorf("%s: %+v", name, trial)
				}
				if taken[trial.Layer] == trial.Variant && (trial.Refused != "" || variant == AutoVariants && !(trial.Takes < trial.Libtorch)) {
					t.Errorf("%s by %s: taken is %+v", name, variant, trial)
				}
			}
			if strings.Contains(variant, ",") {
				if again, _ := stepsWith(t, arch, variant, nil); !slices.Equal(again, got) {
					t.Errorf("%s by %s: losses %v and %v", name, variant, got, again)
				}
			}
		}
		if left := torch.LiveTensors() - live; left != 0 {
			t.Errorf("%s: %d tensors are left", name, left)
		}
	}
}

// A layer whose weight or bias the graph computes is trained by libtorch's operations.
func TestVariantsOfComputedWeights(t *testing.T) {
	for name, plain := range ofVariants(t) {
		for _, arg := range []string{"weight", "bias"} {
			arch := reftest.Computed(plain, arg)
			for range 4 { // arguments have no order
				live := torch.LiveTensors()
				want, _ := stepsWith(t, arch, "", nil)
				got, _ := stepsWith(t, arch, strings.Join(models.VariantNames(), ","), nil)
				for i := range want {
					if !(math.Abs(got[i]-want[i]) <= 1e-4*want[i]) {
						t.Errorf("%s, %s computed: loss %d is %v, without variants %v", name, arg, i, got[i], want[i])
					}
				}
				if left := torch.LiveTensors() - live; left != 0 {
					t.Errorf("%s, %s computed: %d tensors are left", name, arg, left)
				}
			}
		}
	}
}

func TestShapesAreTriedOnce(t *testing.T) {
	arch := ofVariants(t)["tsception"]
	var shared Trials
	_, first := stepsWith(t, arch, "windows,mean", &shared)
	tried := len(shared.done)
	_, second := stepsWith(t, arch, "windows,mean", &shared)
	if tried == 0 || len(shared.done) != tried || !slices.Equal(first.trials, second.trials) {
		t.Errorf("%d shapes were tried, then %d:\n%v\n%v", tried, len(shared.done), first.trials, second.trials)
	}
}

// A variant whose numbers are others is not taken.
func TestVariantsThatDisagree(t *testing.T) {
	arch := ofVariants(t)["tsception"]
	n, g, err := Fresh(arch, nil, torch.CPU, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Free()
	defer g.Free()
	layers, err := arch.Alternatives(false)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(layers, func(a models.Alternative) bool { return slices.Contains(a.Variants, "windows") })
	b := &bench{layer: layers[i]}
	defer b.free()
	if b.n, err = n.Alone(layers[i].Layer); err != nil {
		t.Fatal(err)
	}
	if b.opt, err = torch.NewSGD(b.n.Parameters(), torch.SGDOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := b.draw(4, torch.CPU); err != nil {
		t.Fatal(err)
	}
	want, err := b.numbers()
	if err != nil {
		t.Fatal(err)
	}
	defer want.free()
	for _, name := range []string{"output", "gradient of the weight"} {
		wrong, err := torch.Full(float64(math.Inf(1)), torch.Float32, torch.CPU, want[name].Shape()...)
		if err != nil {
			t.Fatal(err)
		}
		right := want[name]
		want[name] = wrong
		trial := Trial{Variant: "windows"}
		if err := b.try(context.Background(), &trial, want, 1e-4, true); err != nil || !strings.Contains(trial.Refused, name) {
			t.Errorf("other %s: %v, %v", name, trial, err)
		}
		want[name] = right
		wrong.Free()
	}
	trial := Trial{Variant: "windows"}
	if err := b.try(context.Background(), &trial, want, 1e-4, false); err != nil || trial.Refused != "" {
		t.Errorf("%v, %v", trial, err)
	}
}

func TestVariantsOptions(t *testing.T) {
	good := Options{Optimizer: "sgd", LR: 0.01, BatchSize: 6, Epochs: 1}
	for variants, want := range map[string]string{"auto": "", "windows": "", "windows,mean": "", "windoes": "windoes", "windows,auto": "auto", ",": "variant"} {
		good.Variants = variants
		if err := good.Check(); (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("variants %q: %v", variants, err)
		}
	}
	good.Variants = "auto"
	if good.Reproducible(torch.CPU) {
		t.Error("what is chosen by its time is said to be reproducible")
	}
	timed := Options{CuDNNBenchmark: true}
	if gpu := torch.CUDA(0); !timed.Reproducible(torch.CPU) || timed.Reproducible(gpu) {
		t.Error("cuDNN's benchmark is said to be reproducible on a GPU, or not on a CPU")
	}
	good.Variants = "mean"
	if !good.Reproducible(torch.CPU) {
		t.Error("named variants are said to be not reproducible")
	}
}

// Kernels for GPUs are counted without one: each launch, and what it reads and writes.
func TestKernelsAreCounted(t *testing.T) {
	arch := ofVariants(t)["eegnet"]
	o := Options{Optimizer: "adam", LR: 0.01, BatchSize: 6, Epochs: 1}
	count := func(variants string) (torch.Tally, models.Variants) {
		o.Variants = variants
		tally, taken, err := CountStep(context.Background(), arch, o, 6, torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		return tally, taken
	}
	live := torch.LiveTensors()
	libtorch, _ := count("")
	if libtorch["aten::elu"].Calls != 2 || libtorch["activation_pool_short"].Calls != 0 {
		t.Errorf("without variants: %v", libtorch)
	}
	got, taken := count("kernel")
	// Pools with the ELU before them, BatchNorms, depthwise convolutions.
	if len(taken) != 2+3+2 {
		t.Errorf("layers that take the kernel: %v", taken)
	}
	for name, calls := range map[string]int{"activation_pool_short": 2, "activation_pool_gradient": 2, "batch_norm_moments": 3,
		"batch_norm_statistics": 3, "batch_norm_apply": 3, "batch_norm_gradient_sums": 3, "batch_norm_gradients": 3,
		"batch_norm_gradient": 3, "depthwise": 2, "depthwise_input": 2, "depthwise_weight_parts": 2, "depthwise_weight": 2,
		"aten::_fused_adam_": 1,
		"aten::elu":          0, "aten::elu_backward": 0, "aten::avg_pool2d": 0, "aten::native_batch_norm": 0} {
		if got[name].Calls != calls {
			t.Errorf("%s is launched %d times, not %d", name, got[name].Calls, calls)
		}
	}
	if left := torch.LiveTensors() - live; left != 0 {
		t.Errorf("%d tensors are left", left)
	}
}
