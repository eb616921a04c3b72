package torch_test

import (
	"slices"
	"testing"

	"github.com/eegprune/eegprune/torch"
)

// PyTorch 2.15 printed these: after torch.manual_seed(seed) each time,
//
//	int64s    torch.empty((), dtype=torch.int64).random_(), twice
//	perm      torch.randperm(10)
//	uniform   torch.empty(4).uniform_(-1, 1)
//	normal    torch.empty(4).normal_(1, 2)
//	normal16  torch.empty(16).normal_()[:4], which takes another path than few numbers do
//	dropped   F.dropout(torch.ones(12), 0.25) == 0
//	channels  F.dropout2d(torch.ones(4, 3, 2, 2), 0.25)[:, :, 0, 0] == 0
var fromPyTorch = []struct {
	seed                      uint64
	int64s, perm              []int64
	uniform, normal, normal16 []float64
	dropped, channels         []int64
}{
	{
		seed:     0,
		int64s:   []int64{900450186894289455, 3969543146641149120},
		perm:     []int64{4, 1, 7, 5, 3, 9, 0, 8, 6, 2},
		uniform:  []float64{-0.007486820220947266, 0.5364435911178589, -0.8230451345443726, -0.7359390258789062},
		normal:   []float64{4.081992149353027, 0.4131421744823456, -3.357578754425049, 2.1368625164031982},
		normal16: []float64{-1.1258398294448853, -1.152360200881958, -0.2505785822868347, -0.4338788092136383},
		dropped:  []int64{1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0},
		channels: []int64{1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0},
	},
	{
		seed:     7,
		int64s:   []int64{1407639518939636932, 5163590386780219894},
		perm:     []int64{5, 0, 3, 4, 1, 7, 9, 6, 8, 2},
		uniform:  []float64{0.06984508037567139, -0.602393627166748, 0.31842339038848877, 0.3137805461883545},
		normal:   []float64{0.7064098119735718, 2.572282552719116, 2.8936431407928467, -1.2286880016326904},
		normal16: []float64{-0.8201345205307007, 0.39563116431236267, 0.8989084959030151, -1.3884038925170898},
		dropped:  []int64{0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 0},
		channels: []int64{0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 0},
	},
	{
		seed:     9223372036854775813,
		int64s:   []int64{4095051218741643470, 6838803925648402109},
		perm:     []int64{1, 4, 9, 6, 3, 5, 0, 2, 8, 7},
		uniform:  []float64{0.6605037450790405, -0.7477781772613525, 0.8149393796920776, 0.6398540735244751},
		normal:   []float64{0.026438498869538307, -0.20764318108558655, -0.11619246006011963, 2.3350486755371094},
		normal16: []float64{1.8423298597335815, 0.5188871622085571, -1.7119213342666626, -1.7013792991638184},
		dropped:  []int64{0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0},
		channels: []int64{0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0},
	},
}

func generator(t testing.TB, seed uint64) *torch.Generator {
	t.Helper()
	g, err := torch.NewGenerator(torch.CPU, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Free)
	return g
}

func TestRandomNumbersArePyTorchs(t *testing.T) {
	for _, c := range fromPyTorch {
		g := generator(t, c.seed)
		for i, want := range c.int64s {
			if got, err := g.Int64(); err != nil || got != want {
				t.Errorf("seed %d: number %d is %d (%v), want %d", c.seed, i, got, err, want)
			}
		}
		if got, err := generator(t, c.seed).Perm(10); err != nil || !slices.Equal(got, c.perm) {
			t.Errorf("seed %d: permutation %v (%v), want %v", c.seed, got, err, c.perm)
		}
		few, many := f32(t, make([]float32, 4), 4), f32(t, make([]float32, 16), 16)
		exact := func(what string, err error, x *torch.Tensor, want []float64) {
			if err != nil {
				t.Error(err)
			}
			near(t, what, values(t, x)[:len(want)], want, 0)
		}
		exact("uniform", generator(t, c.seed).Uniform(few, -1, 1), few, c.uniform)
		exact("normal", generator(t, c.seed).Normal(few, 1, 2), few, c.normal)
		exact("many normal ones", generator(t, c.seed).Normal(many, 0, 1), many, c.normal16)

		s := scope(t, torch.NoGrad)
		ones := f32(t, slices.Repeat([]float32{1}, 12), 12)
		maps := f32(t, slices.Repeat([]float32{1}, 48), 4, 3, 2, 2)
		dropped := s.Dropout(ones, 0.25, false, generator(t, c.seed))
		channels := s.Dropout(maps, 0.25, true, generator(t, c.seed))
		want := func(zeros []int64, each int) (v []float64) {
			for _, zero := range zeros {
				v = append(v, slices.Repeat([]float64{float64(1-zero) / 0.75}, each)...)
			}
			return v
		}
		check(t, "dropout", dropped, []int{12}, want(c.dropped, 1)...)
		check(t, "dropout by channel", channels, []int{4, 3, 2, 2}, want(c.channels, 4)...)
	}
}

func TestGeneratorStateGoesRound(t *testing.T) {
	g := generator(t, 3)
	x := f32(t, make([]float32, 3), 3)
	// An odd count of normal numbers leaves one in store, which is state too.
	if err := g.Normal(x, 0, 1); err != nil {
		t.Fatal(err)
	}
	state, err := g.State()
	if err != nil {
		t.Fatal(err)
	}
	defer state.Free()
	next := func(g *torch.Generator) (v []float64) {
		if err := g.Normal(x, 0, 1); err != nil {
			t.Fatal(err)
		}
		n, err := g.Int64()
		if err != nil {
			t.Fatal(err)
		}
		return append(values(t, x), float64(n))
	}
	want, other := next(g), generator(t, 99)
	if slices.Equal(next(other), want) {
		t.Error("another seed gives the same numbers")
	}
	for _, g := range []*torch.Generator{g, other} {
		if err := g.SetState(state); err != nil {
			t.Fatal(err)
		}
		near(t, "numbers after the state was set", next(g), want, 0)
	}
	for _, bad := range []*torch.Tensor{i64(t, []int64{1, 2}, 2), x} {
		if g.SetState(bad) == nil {
			t.Errorf("a state of shape %v is no error", bad.Shape())
		}
	}
}

func TestDrawsThatCantBe(t *testing.T) {
	g := generator(t, 1)
	x, whole := f32(t, make([]float32, 3), 3), i64(t, make([]int64, 3), 3)
	_, negative := g.Perm(-1)
	s := scope(t, torch.NoGrad)
	s.Dropout(x, 1, false, g)
	none := scope(t, torch.NoGrad)
	none.Dropout(x, 0.5, false, nil)
	for what, err := range map[string]error{
		"a permutation of -1": negative, "high below low": g.Uniform(x, 1, 0), "uniform integers": g.Uniform(whole, 0, 1),
		"a negative deviation": g.Normal(x, 0, -1), "dropping all": s.Err(), "dropout without a generator": none.Err(),
	} {
		if err == nil {
			t.Errorf("%s is no error", what)
		}
	}
	if p, err := g.Perm(0); err != nil || len(p) != 0 {
		t.Errorf("a permutation of nothing is %v (%v)", p, err)
	}
}
