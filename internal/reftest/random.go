package reftest

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
)

// A Member is a layer's part in a group. One channel of the group takes Span channels or features
// of it.
type Member struct {
	Layer string
	Span  int
}

// Members makes members of span 1.
func Members(layers ...string) []Member {
	m := make([]Member, len(layers))
	for i, l := range layers {
		m[i] = Member{Layer: l, Span: 1}
	}
	return m
}

// A Declared is a group of channels as a network's author would declare it: the layers that
// produce the channels, the BatchNorms that they go through and the layers that they feed.
type Declared struct {
	Name                        string
	Channels                    int
	Producers, Norms, Consumers []Member
}

// DeclaredOf are an architecture's groups in that form.
func DeclaredOf(a *models.Arch) []Declared {
	var all []Declared
	for i := range a.Groups {
		g := &a.Groups[i]
		members := func(role op.Role) (m []Member) {
			for _, p := range g.Of(role) {
				m = append(m, Member{p.Layer(), len(p.Index[0])})
			}
			return m
		}
		all = append(all, Declared{g.Name, g.Channels, members(op.Filter), members(op.Scale), members(op.Column)})
	}
	return all
}

// RandomArch draws a network made of every supported layer: a few stages of one or two
// branches joined along time, with or without BatchNorm before or after the
// activation, depthwise convolutions, padding and pooling, then one or two linear
// layers.
func RandomArch(t *rapid.T) *models.Arch {
	a, _ := DeclaredArch(t)
	return a
}

// DeclaredArch is RandomArch with its groups as its author would declare them.
func DeclaredArch(t *rapid.T) (*models.Arch, []Declared) {
	shape := [3]int{rapid.IntRange(1, 4).Draw(t, "bands"), rapid.IntRange(3, 9).Draw(t, "height"), rapid.IntRange(3, 9).Draw(t, "width")}
	b := &archBuilder{t: t, net: op.NewNet(shape[:]...), last: models.Input, shape: shape}
	classes := rapid.IntRange(2, 4).Draw(t, "classes")
	for i := range rapid.IntRange(1, 4).Draw(t, "stages") {
		b.stage(fmt.Sprintf("stage%d", i))
	}
	b.head(classes)
	a, err := models.Custom("random", shape, classes, b.net)
	if err != nil {
		t.Fatal(err)
	}
	return a, b.groups
}

type archBuilder struct {
	t      *rapid.T
	net    *op.Net
	groups []Declared
	last   string
	shape  [3]int
}

func (b *archBuilder) add(l op.Layer) { b.last = l(b.last) }

// consumedBy makes a layer a consumer of the latest group.
func (b *archBuilder) consumedBy(layer string, span int) {
	if n := len(b.groups); n > 0 {
		b.groups[n-1].Consumers = append(b.groups[n-1].Consumers, Member{Layer: layer, Span: span})
	}
}

func (b *archBuilder) stage(name string) {
	t := b.t
	out := rapid.IntRange(1, 9).Draw(t, "channels")
	from, branches := b.last, rapid.IntRange(1, 2).Draw(t, "branches")
	var ends []string
	var stacked []Member
	// Both branches get the same kernel and padding, so that they can be joined.
	kernel := [2]int{rapid.IntRange(1, min(3, b.shape[1])).Draw(t, "kernel height"), rapid.IntRange(1, min(3, b.shape[2])).Draw(t, "kernel width")}
	var pad [4]int
	for i := range pad {
		pad[i] = rapid.IntRange(0, 2).Draw(t, "pad")
	}
	for i := range branches {
		conv := fmt.Sprintf("%s.conv%d", name, i)
		b.last = from
		o := op.ConvOptions{NoBias: rapid.Bool().Draw(t, "no bias")}
		if pad[0] == pad[1] && pad[2] == pad[3] {
			o.Padding = [2]int{pad[2], pad[0]}
		} else {
			b.add(b.net.ZeroPad2d(conv+"pad", pad))
		}
		b.add(b.net.Conv2d(conv, b.shape[0], out, kernel, o))
		b.consumedBy(conv, 1)
		stacked = append(stacked, Member{Layer: conv, Span: 1})
		b.activation(conv + "act")
		ends = append(ends, b.last)
	}
	b.groups = append(b.groups, Declared{Name: stacked[0].Layer, Channels: out, Producers: stacked})
	g := &b.groups[len(b.groups)-1]
	b.shape = [3]int{out, b.shape[1] + pad[2] + pad[3] - kernel[0] + 1, b.shape[2] + pad[0] + pad[1] - kernel[1] + 1}
	if branches > 1 {
		b.last = b.net.Cat(name+".cat", 3)(ends...)
		b.shape[2] *= branches
	}
	span := 1
	if rapid.Bool().Draw(t, "depthwise") {
		multiplier := rapid.IntRange(1, 3).Draw(t, "multiplier")
		dw := name + ".depthwise"
		b.add(b.net.Conv2d(dw, out, out*multiplier, [2]int{1, 1}, op.ConvOptions{Groups: out, NoBias: rapid.Bool().Draw(t, "no bias")}))
		g.Producers = append(g.Producers, Member{Layer: dw, Span: multiplier})
		span, b.shape[0] = multiplier, out*multiplier
	}
	if rapid.Bool().Draw(t, "norm") {
		b.add(b.net.BatchNorm2d(name+".norm", b.shape[0], op.NormOptions{}))
		g.Norms = []Member{{Layer: name + ".norm", Span: span}}
	}
	if span > 1 || b.shape[0] != out {
		// The next layer sees span channels for each of the group.
		mix := name + ".mix"
		b.add(b.net.Conv2d(mix, b.shape[0], 5, [2]int{1, 1}, op.ConvOptions{}))
		g.Consumers = append(g.Consumers, Member{Layer: mix, Span: span})
		b.groups = append(b.groups, Declared{Name: mix, Channels: 5, Producers: Members(mix)})
		b.shape[0] = 5
	}
	if b.shape[1] > 1 && b.shape[2] > 1 && rapid.Bool().Draw(t, "pool") {
		b.add(b.net.AvgPool2d(name+".pool", [2]int{2, 2}, [2]int{}))
		b.shape[1], b.shape[2] = b.shape[1]/2, b.shape[2]/2
	}
}

func (b *archBuilder) activation(name string) {
	switch rapid.IntRange(0, 4).Draw(b.t, "activation") {
	case 0:
		b.add(b.net.ReLU(name))
	case 1:
		b.add(b.net.SELU(name))
	case 2:
		b.add(b.net.LeakyReLU(name, 0.01))
	case 3:
		b.add(b.net.ELU(name, 1))
	}
}

func (b *archBuilder) head(classes int) {
	span := b.shape[1] * b.shape[2]
	if rapid.Bool().Draw(b.t, "mean") {
		b.add(b.net.Mean("mean"))
		span = b.shape[1]
	}
	b.add(b.net.Flatten("flatten"))
	features := b.shape[0] * span
	if rapid.Bool().Draw(b.t, "hidden") {
		b.add(b.net.Linear("fc", features, 6))
		b.consumedBy("fc", span)
		b.groups = append(b.groups, Declared{Name: "fc", Channels: 6, Producers: Members("fc")})
		b.add(b.net.Linear("out", 6, classes))
		b.consumedBy("out", 1)
		return
	}
	b.add(b.net.Linear("out", features, classes))
	b.consumedBy("out", span)
}
