package models

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// A Mask is a set of elements of a tensor, in row-major order: those that stay. The
// others are held at zero.
type Mask struct {
	len   int
	words []uint64
}

// NewMask returns a mask of n elements, none of which stays.
func NewMask(n int) *Mask { return &Mask{len: n, words: make([]uint64, (n+63)/64)} }

// Len returns the number of elements.
func (m *Mask) Len() int { return m.len }

// Stays reports whether element i stays.
func (m *Mask) Stays(i int) bool { return m.words[i/64]>>(i%64)&1 == 1 }

// Keep makes element i stay.
func (m *Mask) Keep(i int) { m.words[i/64] |= 1 << (i % 64) }

// Count returns how many elements stay.
func (m *Mask) Count() int {
	n := 0
	for _, w := range m.words {
		n += bits.OnesCount64(w)
	}
	return n
}

// And keeps only the elements that both masks keep; the masks must be of one length.
func (m *Mask) And(other *Mask) {
	for i := range m.words {
		m.words[i] &= other.words[i]
	}
}

type maskJSON struct {
	Len  int    `json:"len"`
	Bits string `json:"bits"` // base64; element i is bit i%8 of byte i/8
}

// MarshalJSON writes the mask as its length and its bits.
func (m *Mask) MarshalJSON() ([]byte, error) {
	raw := make([]byte, 0, 8*len(m.words))
	for _, w := range m.words {
		raw = binary.LittleEndian.AppendUint64(raw, w)
	}
	return json.Marshal(maskJSON{m.len, base64.StdEncoding.EncodeToString(raw[:(m.len+7)/8])})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Mask) UnmarshalJSON(b []byte) error {
	var j maskJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(j.Bits)
	if err != nil {
		return fmt.Errorf("a mask's bits: %w", err)
	}
	if j.Len < 0 || len(raw) != (j.Len+7)/8 {
		return fmt.Errorf("a mask of %d elements has %d bytes of bits", j.Len, len(raw))
	}
	if j.Len%8 != 0 && raw[len(raw)-1]>>(j.Len%8) != 0 {
		return fmt.Errorf("a mask of %d elements has bits beyond them", j.Len)
	}
	*m = *NewMask(j.Len)
	for i, v := range raw {
		m.words[i/8] |= uint64(v) << (8 * (i % 8))
	}
	return nil
}

// Masks are a network's masks, by the name of the parameter: "block1.0.weight".
type Masks map[string]*Mask

// Masks returns the masks under which the network is trained; they must not be changed.
func (n *Network) Masks() Masks { return n.masks }

// SetMasks sets the elements that masks leave out to zero, and holds them there whenever
// Constrain is called. Masks that were set before are replaced, in their own tensors where the
// same parameters have masks again, so that a recording of Constrain holds the new ones. The
// error names masks that do not fit.
func (n *Network) SetMasks(masks Masks) error {
	held := map[string]*torch.Tensor{}
	free := func() { torch.FreeAll(held) }
	parameters := map[string]*torch.Tensor{}
	for _, t := range n.State() {
		if !t.Buffer {
			parameters[t.Name] = t.Tensor
		}
	}
	for _, name := range slices.Sorted(maps.Keys(masks)) {
		mask, p := masks[name], parameters[name]
		if p == nil {
			free()
			return fmt.Errorf("the mask of %q does not fit: %s has no such parameter", name, n.Arch.Model)
		}
		if p.Len() != mask.Len() {
			free()
			return fmt.Errorf("the mask of %q does not fit: it has %d elements, the parameter has shape %v", name, mask.Len(), p.Shape())
		}
		t, err := mask.tensor(p)
		if err != nil {
			free()
			return fmt.Errorf("the mask of %q: %w", name, err)
		}
		held[name] = t
	}
	for name, t := range held {
		if old := n.held[name]; old != nil {
			if err := old.CopyFrom(t); err != nil {
				free()
				return fmt.Errorf("the mask of %q: %w", name, err)
			}
			t.Free()
			held[name] = old
			delete(n.held, name)
		}
	}
	torch.FreeAll(n.held)
	n.masks, n.held = maps.Clone(masks), held
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	n.hold(s)
	return s.Err()
}

// tensor is 1 where an element stays and 0 elsewhere, shaped as p and on its device.
func (m *Mask) tensor(p *torch.Tensor) (*torch.Tensor, error) {
	v := make([]float32, m.len)
	for i := range v {
		if m.Stays(i) {
			v[i] = 1
		}
	}
	t, err := torch.FromSlice(v, p.Shape()...)
	if err != nil {
		return nil, err
	}
	defer t.Free()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	return s.Keep(s.Clone(s.To(t, torch.Float32, p.Info().Device)))
}

// hold sets masked elements to zero.
func (n *Network) hold(s *torch.Scope) {
	if len(n.held) == 0 {
		return
	}
	for _, t := range n.State() {
		if m := n.held[t.Name]; m != nil {
			s.MulInPlace(t.Tensor, m)
		}
	}
}

// DrawMasked gives masked convolutions the weights that training from scratch starts from
// under a mask: N(0, sqrt(2/n)), n the nonzeros per input channel (Liu et al.,
// "Rethinking the Value of Network Pruning", 2019).
func (n *Network) DrawMasked(masks Masks, g *torch.Generator) error {
	for _, t := range n.Arch.Tensors {
		mask := masks[t.Name]
		if mask == nil || n.Arch.Kind(t.Name) != op.Conv || mask.Count() == 0 {
			continue
		}
		owner, _ := n.Arch.Owner(t.Name)
		inputs := t.Shape[1]
		if groups, ok := owner.Args["groups"].(int); ok {
			inputs *= groups
		}
		perInput := float64(mask.Count()) / float64(inputs)
		if err := g.Normal(n.Tensor(t.Name), 0, math.Sqrt(2/perInput)); err != nil {
			return fmt.Errorf("drawing weights of %s: %w", t.Layer(), err)
		}
	}
	return n.SetMasks(masks)
}
