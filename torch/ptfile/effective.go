package ptfile

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Effective replaces the tensors that PyTorch keeps in place of a weight by the weight that it computes
// with: the two factors of weight normalization and the three of spectral normalization, in
// their old form (weight_g, weight_v) and that of parametrizations (original0, original1),
// and the weight and mask of torch.nn.utils.prune. It says of each weight how it was made.
func Effective(all []Named) ([]Named, []string, error) {
	places := map[string]int{}
	for i, n := range all {
		places[n.Name] = i
	}
	made := map[int]Named{} // by where the first of its parts lies
	used := map[string]bool{}
	var said []string
	for _, n := range all {
		for _, form := range forms {
			name, parts, ok := form.of(n.Name)
			if !ok {
				continue
			}
			var arrays []Array
			for _, p := range parts {
				if i, ok := places[p]; ok && !used[p] {
					arrays = append(arrays, all[i].Array)
				}
			}
			if _, taken := places[name]; taken || len(arrays) < len(parts) {
				continue
			}
			a, err := form.combine(arrays)
			if err != nil {
				return nil, nil, fmt.Errorf("%s of %s: %w", form.name, name, err)
			}
			for _, p := range parts {
				used[p] = true
			}
			made[places[n.Name]] = Named{name, a}
			said = append(said, fmt.Sprintf("%s (%s)", name, form.name))
			break
		}
	}
	var out []Named
	for i, n := range all {
		if m, ok := made[i]; ok {
			out = append(out, m)
		} else if !used[n.Name] {
			out = append(out, n)
		}
	}
	return out, said, nil
}

// A form is a way to keep a weight: the ending of its first part's name, whose % is the
// weight's, and those of the others.
type form struct {
	name    string
	endings []string
	combine func([]Array) (Array, error)
}

// Spectral normalization's old form holds a weight_v too, so it comes before that of weights.
var forms = []form{
	{"pruning's mask", []string{"%_orig", "%_mask"}, masked},
	{"spectral norm", []string{"%_orig", "%_u", "%_v"}, spectral},
	{"spectral norm", []string{"parametrizations.%.original", "parametrizations.%.0._u", "parametrizations.%.0._v"}, spectral},
	{"weight norm", []string{"%_g", "%_v"}, normed},
	{"weight norm", []string{"parametrizations.%.original0", "parametrizations.%.original1"}, normed},
}

// of returns the weight's name and its parts' names where a tensor's name is that of the first part.
func (f form) of(name string) (weight string, parts []string, ok bool) {
	before, after, _ := strings.Cut(f.endings[0], "%")
	rest, ok := strings.CutSuffix(name, after)
	if !ok {
		return "", nil, false
	}
	module, parameter := "", rest
	if before != "" {
		i := strings.LastIndex("."+rest, "."+before)
		if i < 0 {
			return "", nil, false
		}
		module, parameter = rest[:i], rest[i+len(before):]
	} else if i := strings.LastIndexByte(rest, '.'); i >= 0 {
		module, parameter = rest[:i+1], rest[i+1:]
	}
	if parameter == "" || strings.Contains(parameter, ".") {
		return "", nil, false
	}
	for _, e := range f.endings {
		parts = append(parts, module+strings.Replace(e, "%", parameter, 1))
	}
	return module + parameter, parts, true
}

// Floats returns the elements of an array of real numbers.
func (a Array) Floats() ([]float64, error) {
	x := make([]float64, len(a.Data)/a.Type.Size())
	for i := range x {
		b := a.Data[i*a.Type.Size():]
		switch a.Type {
		case Float32:
			x[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		case Float64:
			x[i] = math.Float64frombits(binary.LittleEndian.Uint64(b))
		case Int64:
			x[i] = float64(int64(binary.LittleEndian.Uint64(b)))
		case Bool:
			x[i] = float64(b[0])
		default:
			return nil, fmt.Errorf("elements of type %d are no numbers", a.Type)
		}
	}
	return x, nil
}

func allFloats(arrays []Array) (all [][]float64, err error) {
	for _, a := range arrays {
		x, err := a.Floats()
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

// like is an array of these elements of the type and shape of another.
func (a Array) like(x []float64) Array {
	out := Array{Type: a.Type, Shape: a.Shape}
	for _, v := range x {
		if a.Type == Float64 {
			out.Data = binary.LittleEndian.AppendUint64(out.Data, math.Float64bits(v))
		} else {
			out.Data = binary.LittleEndian.AppendUint32(out.Data, math.Float32bits(float32(v)))
		}
	}
	if a.Type != Float64 {
		out.Type = Float32
	}
	return out
}

func masked(parts []Array) (Array, error) {
	x, err := allFloats(parts)
	if err != nil {
		return Array{}, err
	}
	if !slices.Equal(parts[0].Shape, parts[1].Shape) {
		return Array{}, fmt.Errorf("the weight's shape is %v and the mask's %v", parts[0].Shape, parts[1].Shape)
	}
	for i := range x[0] {
		x[0][i] *= x[1][i]
	}
	return parts[0].like(x[0]), nil
}

// normed is g*v/|v|, the norm being taken over the axes along which g has one element.
func normed(parts []Array) (Array, error) {
	x, err := allFloats(parts)
	if err != nil {
		return Array{}, err
	}
	g, v := parts[0].Shape, parts[1].Shape
	if len(g) == 0 {
		g = slices.Repeat([]int{1}, len(v))
	}
	fits := len(g) == len(v)
	for i := range min(len(g), len(v)) {
		fits = fits && (g[i] == 1 || g[i] == v[i])
	}
	if !fits {
		return Array{}, fmt.Errorf("the norm's shape is %v and the direction's %v", g, v)
	}
	group := make([]int, len(x[1])) // which element of g an element of v has
	for i := range group {
		rest, step := i, 1
		for d := len(v) - 1; d >= 0; d-- {
			if g[d] > 1 {
				group[i] += rest % v[d] * step
			}
			rest, step = rest/v[d], step*g[d]
		}
	}
	squares := make([]float64, len(x[0]))
	for i, w := range x[1] {
		squares[group[i]] += w * w
	}
	for i, w := range x[1] {
		x[1][i] = x[0][group[i]] * w / math.Sqrt(squares[group[i]])
	}
	return parts[1].like(x[1]), nil
}

// spectral is W/(u'Wv), with the vectors as the file has them, which evaluation does not
// change; the rows of W are its first axis.
func spectral(parts []Array) (Array, error) {
	x, err := allFloats(parts)
	if err != nil {
		return Array{}, err
	}
	w, u, v := x[0], x[1], x[2]
	if len(w) != len(u)*len(v) || len(parts[0].Shape) == 0 || parts[0].Shape[0] != len(u) {
		return Array{}, fmt.Errorf("a weight of shape %v has vectors of %d and %d", parts[0].Shape, len(u), len(v))
	}
	sigma := 0.0
	for i, a := range u {
		for j, b := range v {
			sigma += a * w[i*len(v)+j] * b
		}
	}
	for i := range w {
		w[i] /= sigma
	}
	return parts[0].like(w), nil
}
