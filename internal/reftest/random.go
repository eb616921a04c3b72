package reftest

import (
	"fmt"

	"pgregory.net/rapid"

	"eegprune/models"
)

// RandomArch draws a network made of every supported layer: a few stages of one or two
// branches joined along time, with or without BatchNorm before or after the
// activation, depthwise convolutions, padding and pooling, then one or two linear
// layers. Its groups are declared as a network's author would.
func RandomArch(t *rapid.T) *models.Arch {
	b := &archBuilder{t: t, last: models.Input}
	b.shape = [3]int{rapid.IntRange(1, 4).Draw(t, "bands"), rapid.IntRange(3, 9).Draw(t, "height"), rapid.IntRange(3, 9).Draw(t, "width")}
	a := &models.Arch{Model: "random", Input: b.shape, Classes: rapid.IntRange(2, 4).Draw(t, "classes")}
	for i := range rapid.IntRange(1, 4).Draw(t, "stages") {
		b.stage(fmt.Sprintf("stage%d", i))
	}
	b.head(a.Classes)
	a.Layers, a.Groups = b.layers, b.groups
	return a
}

type archBuilder struct {
	t      *rapid.T
	layers []models.Layer
	groups []models.Group
	last   string
	shape  [3]int
}

func (b *archBuilder) add(l models.Layer) {
	if l.Inputs == nil {
		l.Inputs = []string{b.last}
	}
	b.layers = append(b.layers, l)
	b.last = l.Name
}

// consumedBy makes a layer a consumer of the latest group.
func (b *archBuilder) consumedBy(layer string, span int) {
	if n := len(b.groups); n > 0 {
		b.groups[n-1].Consumers = append(b.groups[n-1].Consumers, models.Member{Layer: layer, Span: span})
	}
}

func (b *archBuilder) stage(name string) {
	t := b.t
	out := rapid.IntRange(1, 9).Draw(t, "channels")
	group := models.Group{Name: name, Channels: out}
	from, branches := b.last, rapid.IntRange(1, 2).Draw(t, "branches")
	var ends []string
	var stacked []models.Member
	// Both branches get the same kernel and padding, so that they can be joined.
	kernel := [2]int{rapid.IntRange(1, min(3, b.shape[1])).Draw(t, "kernel height"), rapid.IntRange(1, min(3, b.shape[2])).Draw(t, "kernel width")}
	var pad [4]int
	for i := range pad {
		pad[i] = rapid.IntRange(0, 2).Draw(t, "pad")
	}
	for i := range branches {
		conv := fmt.Sprintf("%s.conv%d", name, i)
		b.last = from
		b.add(models.Layer{Name: conv, Op: models.Conv2d, In: b.shape[0], Out: out, Kernel: kernel, Pad: pad,
			NoBias: rapid.Bool().Draw(t, "no bias")})
		b.consumedBy(conv, 1)
		stacked = append(stacked, models.Member{Layer: conv, Span: 1})
		b.activation(conv + ".act")
		ends = append(ends, b.last)
	}
	b.groups = append(b.groups, group)
	g := &b.groups[len(b.groups)-1]
	g.Producers = stacked
	b.shape = [3]int{out, b.shape[1] + pad[2] + pad[3] - kernel[0] + 1, b.shape[2] + pad[0] + pad[1] - kernel[1] + 1}
	if branches > 1 {
		b.add(models.Layer{Name: name + ".cat", Op: models.Cat, Inputs: ends, Dim: 3})
		b.shape[2] *= branches
	}
	span := 1
	if rapid.Bool().Draw(t, "depthwise") {
		multiplier := rapid.IntRange(1, 3).Draw(t, "multiplier")
		dw := name + ".depthwise"
		b.add(models.Layer{Name: dw, Op: models.Conv2d, In: out, Out: out * multiplier, Groups: out, Kernel: [2]int{1, 1},
			NoBias: rapid.Bool().Draw(t, "no bias")})
		g.Producers = append(g.Producers, models.Member{Layer: dw, Span: multiplier})
		span, b.shape[0] = multiplier, out*multiplier
	}
	if rapid.Bool().Draw(t, "norm") {
		b.add(models.Layer{Name: name + ".norm", Op: models.BatchNorm2d, Out: b.shape[0]})
		g.Norms = []models.Member{{Layer: name + ".norm", Span: span}}
	}
	if span > 1 || b.shape[0] != out {
		// What follows sees span channels for each of the group.
		b.add(models.Layer{Name: name + ".mix", Op: models.Conv2d, In: b.shape[0], Out: 5, Kernel: [2]int{1, 1}})
		g.Consumers = append(g.Consumers, models.Member{Layer: name + ".mix", Span: span})
		b.groups = append(b.groups, models.Group{Name: name + ".mix", Channels: 5, Producers: models.Members(name + ".mix")})
		b.shape[0] = 5
	}
	if b.shape[1] > 1 && b.shape[2] > 1 && rapid.Bool().Draw(t, "pool") {
		b.add(models.Layer{Name: name + ".pool", Op: models.AvgPool2d, Kernel: [2]int{2, 2}})
		b.shape[1], b.shape[2] = b.shape[1]/2, b.shape[2]/2
	}
}

func (b *archBuilder) activation(name string) {
	switch rapid.IntRange(0, 4).Draw(b.t, "activation") {
	case 0:
		b.add(models.Layer{Name: name, Op: models.ReLU})
	case 1:
		b.add(models.Layer{Name: name, Op: models.SELU})
	case 2:
		b.add(models.Layer{Name: name, Op: models.LeakyReLU, Slope: 0.01})
	case 3:
		b.add(models.Layer{Name: name, Op: models.ELU, Slope: 1})
	}
}

func (b *archBuilder) head(classes int) {
	span := b.shape[1] * b.shape[2]
	if rapid.Bool().Draw(b.t, "mean") {
		b.add(models.Layer{Name: "mean", Op: models.Mean})
		span = b.shape[1]
	}
	b.add(models.Layer{Name: "flatten", Op: models.Flatten})
	features := b.shape[0] * span
	if rapid.Bool().Draw(b.t, "hidden") {
		b.add(models.Layer{Name: "fc", Op: models.Linear, In: features, Out: 6})
		b.consumedBy("fc", span)
		b.groups = append(b.groups, models.Group{Name: "fc", Channels: 6, Producers: models.Members("fc")})
		b.add(models.Layer{Name: "out", Op: models.Linear, In: 6, Out: classes})
		b.consumedBy("out", 1)
		return
	}
	b.add(models.Layer{Name: "out", Op: models.Linear, In: features, Out: classes})
	b.consumedBy("out", span)
}
