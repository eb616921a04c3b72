package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// AutoVariants is the value of [Options].Variants by which each layer takes what is fastest here.
const AutoVariants = "auto"

// variantNames are the names in [Options].Variants.
func (o Options) variantNames() []string {
	if o.Variants == "" {
		return nil
	}
	return strings.Split(o.Variants, ",")
}

func (o Options) checkVariants() error {
	known := models.VariantNames()
	for _, name := range o.variantNames() {
		if o.Variants != AutoVariants && !slices.Contains(known, name) {
			return fmt.Errorf("unknown variant %q: use %s, or some of %s", name, AutoVariants, strings.Join(known, ","))
		}
	}
	return nil
}

// Reproducible reports whether the same training on the same device gives the same bits.
func (o Options) Reproducible(device torch.Device) bool {
	return o.Variants != AutoVariants && (!o.Fast && !o.CuDNNBenchmark || !device.IsCUDA())
}

// Agreement is how far a variant's numbers may be from those of libtorch's operation, as a share of the
// largest number of a tensor: what another order of sums changes in a precision.
func (o Options) Agreement() float64 {
	switch o.Precision {
	case BF16: // 8 bits of each factor
		return 5e-2
	case TF32, TF32Conv: // 11 bits
		return 1e-2
	}
	return 1e-4
}

// A Trial is a variant that was tried on the shape of a layer, beside libtorch's operation.
type Trial struct {
	Layer   string `json:"layer"`
	Variant string `json:"variant"`
	// Off is the largest difference of the output, of the input's gradient or of a parameter's, as a share of
	// the largest number of that tensor.
	Off float64 `json:"off"`
	// Milliseconds of a pass forwards and backwards, and of libtorch's; 0 where it was not timed.
	Takes    float64 `json:"ms,omitempty"`
	Libtorch float64 `json:"libtorch_ms,omitempty"`
	// Refused says why the layer may not take it; "" where it may.
	Refused string `json:"refused,omitempty"`
}

// Trials keeps what was tried, so that a shape is tried once. Its zero value is ready; trainings may share
// it, also at once.
type Trials struct {
	mu   sync.Mutex
	done map[string][]Trial
}

// choose returns the variants that a network's layers take for batches of so many clips, and what
// was tried. It draws nothing from the training's generators.
func (t *Trials) choose(ctx context.Context, n *models.Network, o Options, clips int) (models.Variants, []Trial, error) {
	names := o.variantNames()
	if len(names) == 0 {
		return nil, nil, nil
	}
	layers, err := n.Arch.Alternatives(n.TrainsAsGPU())
	if err != nil {
		return nil, nil, err
	}
	t.mu.Lock() // also so that nothing else of this kind is timed meanwhile
	defer t.mu.Unlock()
	if t.done == nil {
		t.done = map[string][]Trial{}
	}
	chosen, all := models.Variants{}, []Trial(nil)
	for _, layer := range layers {
		wanted := layer.Variants
		if o.Variants != AutoVariants {
			wanted = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(layer.Variants, name) })
		}
		if len(wanted) == 0 {
			continue
		}
		key := fmt.Sprint(n.Device(), " ", clips, " ", o.Precision, " ", o.Fast, " ", o.CuDNNBenchmark, " ", o.Variants, " ", layer.Key, " ", layer.First)
		trials, known := t.done[key]
		if !known {
			if trials, err = tryLayer(ctx, n, layer, wanted, o, clips); err != nil {
				return nil, nil, fmt.Errorf("trying variants of layer %q: %w", layer.Layer, err)
			}
			t.done[key] = trials
		}
		trials = slices.Clone(trials)
		for i := range trials {
			trials[i].Layer = layer.Layer
		}
		all = append(all, trials...)
		usable := slices.DeleteFunc(slices.Clone(trials), func(t Trial) bool { return t.Refused != "" })
		if len(usable) > 0 && o.Variants == AutoVariants {
			chosen[layer.Layer] = slices.MinFunc(usable, func(a, b Trial) int { return cmp.Compare(a.Takes, b.Takes) }).Variant
		} else if len(usable) > 0 {
			chosen[layer.Layer] = usable[0].Variant
		}
	}
	return chosen, all, nil
}

// A bench is a layer alone, and what it is tried on.
type bench struct {
	n        *models.Network
	x, weigh *torch.Tensor // the input; the weight of each element of the output in the loss
	opt      *torch.Optimizer
	buffers  map[string]*torch.Tensor // as they are at first
	bf16     bool
	layer    models.Alternative
}

func (b *bench) free() {
	b.n.Free()
	b.x.Free()
	b.weigh.Free()
	b.opt.Free()
	torch.FreeAll(b.buffers)
}

// tryLayer tries variants of a layer, in their order. A variant that fails is refused, as is
// one that is slower where the fastest is asked for.
func tryLayer(ctx context.Context, n *models.Network, layer models.Alternative, variants []string, o Options, clips int) ([]Trial, error) {
	b := &bench{layer: layer, bf16: o.Precision == BF16}
	defer b.free()
	var err error
	if b.n, err = n.Alone(layer.Layer); err != nil {
		return nil, err
	}
	if parameters := b.n.Parameters(); len(parameters) > 0 {
		if b.opt, err = torch.NewSGD(parameters, torch.SGDOptions{}); err != nil {
			return nil, err
		}
	}
	if err = b.draw(clips, n.Device()); err != nil {
		return nil, err
	}
	timed := o.Variants == AutoVariants
	want, err := b.numbers()
	if err != nil {
		return nil, err
	}
	defer want.free()
	var libtorch float64
	if timed {
		if libtorch, err = b.time(ctx); err != nil {
			return nil, err
		}
	}
	var trials []Trial
	for _, name := range variants {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if slices.Contains(layer.NeedGPU, name) && !n.Device().IsCUDA() { // it is only counted
			trials = append(trials, Trial{Variant: name})
			continue
		}
		t := Trial{Variant: name, Libtorch: libtorch}
		if err := b.try(ctx, &t, want, o.Agreement(), timed); err != nil {
			var e *torch.Error
			if !errors.As(err, &e) {
				return nil, err
			}
			t.Refused = err.Error()
		}
		trials = append(trials, t)
	}
	return trials, nil
}

// try computes and, if asked, times a variant.
func (b *bench) try(ctx context.Context, t *Trial, want numbers, agreement float64, timed bool) error {
	if err := b.n.TakeVariants(models.Variants{b.layer.Layer: t.Variant}); err != nil {
		return err
	}
	got, err := b.numbers()
	if err != nil {
		return err
	}
	defer got.free()
	var where string
	if t.Off, where, err = got.off(want); err != nil {
		return err
	}
	if !(t.Off <= agreement) {
		t.Refused = fmt.Sprintf("its %s is off by %.1g of the largest number, of %g that may be", where, t.Off, agreement)
		t.Off = min(t.Off, math.MaxFloat64) // JSON has no other
		return nil
	}
	if !timed {
		return nil
	}
	if t.Takes, err = b.time(ctx); err == nil && t.Takes >= t.Libtorch {
		t.Refused = "it is no faster"
	}
	return err
}

// draw makes the input and the weights of the loss, the same each time.
func (b *bench) draw(clips int, device torch.Device) error {
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		return err
	}
	defer g.Free()
	random := func(shape []int) (*torch.Tensor, error) {
		x, err := torch.Zeros(append([]int{clips}, shape...)...)
		if err != nil {
			return nil, err
		}
		defer x.Free()
		if err := g.Normal(x, 0, 1); err != nil {
			return nil, err
		}
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		return s.Keep(s.Clone(s.To(x, torch.Float32, device)))
	}
	if b.x, err = random(b.n.Arch.Input[:]); err != nil {
		return err
	}
	if !b.layer.First {
		if err := b.x.RequireGrad(); err != nil {
			return err
		}
	}
	if b.weigh, err = random(b.layer.Out); err != nil {
		return err
	}
	b.buffers = map[string]*torch.Tensor{}
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	for _, t := range b.n.State() {
		if t.Buffer {
			if b.buffers[t.Name], err = s.Keep(s.Clone(t.Tensor)); err != nil {
				return err
			}
		}
	}
	return nil
}

// reset brings back the buffers, which passes move.
func (b *bench) reset() error {
	for _, t := range b.n.State() {
		if t.Buffer {
			if err := t.Tensor.CopyFrom(b.buffers[t.Name]); err != nil {
				return err
			}
		}
	}
	if b.opt == nil {
		return nil
	}
	return b.opt.ZeroGrad()
}

// pass passes clips forwards and a loss backwards, as a training step does.
func (b *bench) pass(s *torch.Scope, x *torch.Tensor) (out *torch.Tensor) {
	if b.bf16 {
		s.Autocast()
	}
	out = b.n.Forward(s, x, models.Pass{Training: true})
	if !b.layer.First || len(b.n.Parameters()) > 0 {
		s.Backward(s.Sum(s.Mul(out, b.weigh)))
	}
	return out
}

// numbers are the values of a pass by their names.
type numbers map[string]*torch.Tensor

func (n numbers) free() { torch.FreeAll(n) }

// numbers passes forwards and backwards once.
func (b *bench) numbers() (found numbers, err error) {
	if err := b.reset(); err != nil {
		return nil, err
	}
	found = numbers{}
	defer func() {
		if err != nil {
			found.free()
		}
	}()
	s := torch.NewScope(torch.Grad)
	defer s.Close()
	keep := func(name string, x *torch.Tensor) {
		if err == nil {
			found[name], err = s.Keep(s.Clone(s.Detach(x)))
		}
	}
	x := b.x
	if !b.layer.First {
		if x, err = s.Keep(s.Clone(s.Detach(b.x))); err != nil {
			return nil, err
		}
		defer x.Free()
		if err = x.RequireGrad(); err != nil { // one without a gradient yet: gradients add up
			return nil, err
		}
	}
	keep("output", b.pass(s, x))
	if !b.layer.First {
		keep("gradient of the input", s.GradOf(x))
	}
	for _, t := range b.n.State() {
		// Layers of the same shapes share a trial: it has no layer's name.
		name := t.Name[strings.LastIndexByte(t.Name, '.')+1:]
		if t.Buffer {
			keep(name, t.Tensor)
		} else {
			keep("gradient of the "+name, s.GradOf(t.Tensor))
		}
	}
	return found, cmp.Or(err, s.Err())
}

// off is the largest difference from other numbers, as a share of the largest of a tensor, and where it is.
func (n numbers) off(want numbers) (worst float64, where string, err error) {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	largest := func(x *torch.Tensor) float64 {
		v, e := s.Call("aten.max.default", torch.Arguments{"self": s.Abs(s.To(x, torch.Float32, torch.CPU))}, nil).Item()
		err = cmp.Or(err, s.Err(), e)
		return v
	}
	for name, x := range want {
		got := n[name]
		if got == nil {
			return math.Inf(1), name, nil
		}
		share := largest(s.Sub(s.To(got, torch.Float32, torch.CPU), s.To(x, torch.Float32, torch.CPU))) / max(largest(x), 1e-6)
		if math.IsNaN(share) {
			share = math.Inf(1)
		}
		if share > worst {
			worst, where = share, name
		}
	}
	return worst, where, err
}

// time returns the milliseconds of a pass: the fastest of some, recorded as those of steps are.
func (b *bench) time(ctx context.Context) (float64, error) {
	device := b.n.Device()
	once := func() error {
		s := torch.NewScope(torch.Grad)
		defer s.Close()
		b.pass(s, b.x)
		if err := s.Err(); err != nil || b.opt == nil {
			return err
		}
		return b.opt.ZeroGrad()
	}
	for range warmUp {
		if err := once(); err != nil {
			return 0, err
		}
	}
	graph, err := torch.Record(device, nil, once)
	if err != nil {
		return 0, err
	}
	defer graph.Free()
	took := func(times int) (time.Duration, error) {
		start := time.Now()
		for range times {
			if err := cmp.Or(ctx.Err(), graph.Replay()); err != nil {
				return 0, err
			}
		}
		err := device.Synchronize()
		return time.Since(start), err
	}
	first, err := took(1)
	if err != nil {
		return 0, err
	}
	times := int(min(20, max(1, 5*time.Millisecond/max(first, 1))))
	best := math.Inf(1)
	for range 3 {
		d, err := took(times)
		if err != nil {
			return 0, err
		}
		best = min(best, d.Seconds()*1e3/float64(times))
	}
	return best, nil
}
